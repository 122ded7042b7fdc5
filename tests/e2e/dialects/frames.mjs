// AWS event streams, by Amazon's own codec.
import { EventStreamCodec } from "@smithy/eventstream-codec";

const utf8 = new TextDecoder();
const codec = new EventStreamCodec(
  (bytes) => utf8.decode(bytes), (text) => Buffer.from(text, "utf8"));

const header = (value) => ({ type: "string", value });

const frame = (headers, body) => Buffer.from(codec.encode({
  headers: {
    ...headers, ":content-type": header("application/json"),
  },
  body: Buffer.from(JSON.stringify(body)),
}));

export const eventFrame = (type, body) => frame(
  { ":message-type": header("event"), ":event-type": header(type) }, body);

export const exceptionFrame = (type, message) => frame(
  { ":message-type": header("exception"), ":exception-type": header(type) },
  { message });

export const contentType = "application/vnd.amazon.eventstream";

/** Errors of both families of operations. */
const errors = {
  rate_limited: [429, "ThrottlingException", "throttlingException"],
  failed: [500, "InternalServerException", "internalServerException"],
  overloaded: [503, "ServiceUnavailableException",
    "serviceUnavailableException"],
  unauthenticated: [403, "UnrecognizedClientException", ""],
  forbidden: [403, "AccessDeniedException", ""],
  not_found: [404, "ResourceNotFoundException", ""],
  invalid: [400, "ValidationException", "validationException"],
  context: [400, "ValidationException", "validationException"],
};

export function error(kind, message) {
  const [status, type] = errors[kind];
  return {
    status, body: { message }, headers: { "x-amzn-errortype": type },
  };
}

export const streamError = (kind, message) =>
  exceptionFrame(errors[kind][2], message);

export const credential = (headers) =>
  headers.authorization?.replace(/^Bearer /, "");

/** What a URL says of model and stream; undefined = another operation. */
export const placeOf = (whole, stream) => (url) => {
  const match = /\/model\/([^/]+)\/([a-z-]+)$/.exec(url.split("?")[0]);
  if (!match || ![whole, stream].includes(match[2])) return undefined;
  return { model: decodeURIComponent(match[1]), stream: match[2] === stream };
};
