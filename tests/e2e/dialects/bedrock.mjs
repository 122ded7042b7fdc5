// bedrock: POST /model/{id}/invoke and /invoke-with-response-stream, whose
// bodies and events are those of claude.
import * as claude from "./claude.mjs";
import { eventFrame, placeOf } from "./frames.mjs";

export const name = "bedrock";
export const lacks = ["image URLs"];
export const cannot = [];
export const basePath = "";
export {
  contentType, credential, error, streamError,
} from "./frames.mjs";
export { append, answer, read, readEvents, textOf } from "./claude.mjs";

export const place = placeOf("invoke", "invoke-with-response-stream");

export const request = (neutral) => claude.request(neutral);

export function view(body, url) {
  if (typeof body.anthropic_version !== "string" || body.model)
    throw new Error("not a body of Bedrock");
  return { ...claude.view(body), ...place(url) };
}

export const events = (turn, meta) =>
  claude.events(turn, meta).map(({ bytes, text }) => {
    const json = /^data: (.*)$/m.exec(bytes)[1];
    return {
      bytes: eventFrame("chunk",
        { bytes: Buffer.from(json).toString("base64"), p: "abcdef" }),
      text,
    };
  });
