// Plain fetch as a client row: sees status, headers and every event, and
// refuses a stream whose end was not earned.
import { records } from "../dialects/common.mjs";

/** An answer that is not 2xx. */
export class HttpError extends Error {
  constructor(response, text) {
    super(`HTTP ${response.status}: ${text}`);
    this.status = response.status;
    this.headers = response.headers;
    this.text = text;
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("application/json")) this.body = JSON.parse(text);
  }
}

/** POSTs a body (object, string or bytes) to the proxy's endpoint. */
export function post(dialect, { url, key = "client-key", headers }, body,
  options = {}) {
  const bytes = typeof body === "string" || Buffer.isBuffer(body)
    ? body : JSON.stringify(body);
  return fetch(url + dialect.basePath + dialect.path, {
    method: "POST", body: bytes,
    headers: {
      "content-type": "application/json",
      ...(key && { authorization: `Bearer ${key}` }), ...headers,
    },
    ...options,
  });
}

async function checked(response) {
  if (response.ok) return response;
  throw new HttpError(response, await response.text());
}

/** The events of a response, each as soon as its blank line is there. */
export async function* eventsOf(dialect, response) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for await (const bytes of response.body) {
    text += decoder.decode(bytes, { stream: true });
    const end = text.lastIndexOf("\n\n");
    if (end < 0) continue;
    for (const record of records(text.slice(0, end + 2))) {
      const event = dialect.parseRecord(record);
      if (event) yield event;
    }
    text = text.slice(end + 2);
  }
  if (text.trim()) throw new Error(`half an event: ${text}`);
}

export const rawClient = (dialect) => {
  const stream = async function* stream_(session, body) {
    const response = await checked(
      await post(dialect, session, { ...body, stream: true }));
    yield* eventsOf(dialect, response);
  };
  const usage = dialect.name === "openai-chat"
    ? { stream_options: { include_usage: true } } : {};
  return {
    name: `fetch ${dialect.name}`,
    dialect,
    make: (session) => session,
    modes: {
      create: async (session, body) => {
        const response = await checked(await post(dialect, session, body));
        return dialect.read(await response.json());
      },
      stream: async (session, body) => dialect.readEvents(
        await Array.fromAsync(stream(session, { ...body, ...usage }))),
    },
    events: stream,
  };
};
