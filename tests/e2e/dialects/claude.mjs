// claude: POST /v1/messages.
import {
  defined, keyOf, pushParts, shreds, StreamError, words,
} from "./common.mjs";

export const name = "claude";
export const path = "/v1/messages";
export const lacks = [];
export const cannot = [];
export const basePath = "";
export const contentType = "text/event-stream; charset=utf-8";

const stops = {
  end: "end_turn", tool: "tool_use", length: "max_tokens",
  sequence: "stop_sequence", filter: "refusal",
};
const choices = { auto: "auto", none: "none", any: "any" };

export const credential = (headers) =>
  headers["x-api-key"] ?? headers.authorization?.replace(/^Bearer /, "");

// --- requests -------------------------------------------------------------

function writePart(part) {
  if (part.text !== undefined) return { type: "text", text: part.text };
  if (part.thinking !== undefined)
    return {
      type: "thinking", thinking: part.thinking, signature: part.signature,
    };
  if (part.redacted)
    return { type: "redacted_thinking", data: part.redacted };
  if (part.document)
    return {
      type: "document", title: part.document.name,
      source: {
        type: "base64", media_type: part.document.mediaType,
        data: part.document.data,
      },
    };
  if (part.call)
    return {
      type: "tool_use", id: part.call.id, name: part.call.name,
      input: part.call.args,
    };
  if (part.result)
    return defined({
      type: "tool_result", tool_use_id: part.result.id,
      content: part.result.image
        ? [{ text: part.result.text }, { image: part.result.image }]
          .map(writePart)
        : part.result.text,
      is_error: part.result.error,
    });
  const { url, mediaType, data } = part.image;
  return {
    type: "image",
    source: url ? { type: "url", url }
      : { type: "base64", media_type: mediaType, data },
  };
}

export function request(neutral) {
  const { choice } = neutral;
  return defined({
    model: neutral.model,
    max_tokens: neutral.maxTokens ?? 1024,
    system: neutral.system,
    messages: neutral.messages.map(({ role, parts }) => ({
      role,
      content: parts.length === 1 && parts[0].text !== undefined
        ? parts[0].text : parts.map(writePart),
    })),
    tools: neutral.tools?.map((tool) => defined({
      name: tool.name, description: tool.description,
      input_schema: tool.schema,
    })),
    tool_choice: choice && (choices[choice]
      ? { type: choices[choice] } : { type: "tool", name: choice }),
    output_config: neutral.schema &&
      { format: { type: "json_schema", schema: neutral.schema } },
    thinking: neutral.thinking &&
      { type: "enabled", budget_tokens: neutral.thinking },
    temperature: neutral.temperature,
    stop_sequences: neutral.stop,
    stream: neutral.stream,
  });
}

const flat = (content) => typeof content === "string" || !content
  ? content : content.filter(({ text }) => text)
    .map(({ text }) => text).join("\n");

const readers = {
  text: ({ text }) => ({ text }),
  thinking: ({ thinking, signature }) => ({ thinking, signature }),
  redacted_thinking: ({ data }) => ({ redacted: data }),
  tool_use: ({ id, name, input }) => ({ call: { id, name, args: input } }),
  tool_result: (block) => ({ result: defined({
    id: block.tool_use_id, text: flat(block.content), error: block.is_error,
    image: imageIn(block.content),
  }) }),
  image: ({ source }) => ({
    image: source.type === "url" ? { url: source.url }
      : { mediaType: source.media_type, data: source.data },
  }),
  document: ({ title, source }) => ({ document: {
    name: title, mediaType: source.media_type, data: source.data,
  } }),
};

const imageIn = (content) => {
  const block = Array.isArray(content) &&
    content.find(({ type }) => type === "image");
  return block ? readers.image(block).image : undefined;
};

const readPart = (block) =>
  readers[block.type]?.(block) ?? { unknown: block };

export function view(body) {
  const messages = [];
  for (const { role, content } of body.messages)
    pushParts(messages, role, typeof content === "string"
      ? [{ text: content }] : content.map(readPart));
  const choice = body.tool_choice;
  return defined({
    model: body.model,
    system: flat(body.system),
    messages,
    tools: body.tools?.map((tool) => defined({
      name: tool.name, description: tool.description,
      schema: tool.input_schema,
    })),
    choice: choice && (keyOf(choices, choice.type) ?? choice.name),
    schema: body.output_config?.format?.schema,
    thinking: body.thinking?.budget_tokens,
    effort: body.output_config?.effort,
    maxTokens: body.max_tokens,
    temperature: body.temperature,
    stop: body.stop_sequences,
    stream: body.stream === true,
    usage: true,
  });
}

// --- answers --------------------------------------------------------------

const writeUsage = (usage) => ({
  input_tokens: usage.input - (usage.cached ?? 0),
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: usage.cached ?? 0,
  output_tokens: usage.output,
});

const readUsage = (usage) => usage && {
  input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) +
    (usage.cache_creation_input_tokens ?? 0),
  output: usage.output_tokens,
  cached: usage.cache_read_input_tokens ?? 0,
};

export function answer(turn, { id, model }) {
  return {
    id: `msg_${id}`, type: "message", role: "assistant", model,
    content: turn.parts.map(writePart),
    stop_reason: stops[turn.stop], stop_sequence: turn.sequence ?? null,
    usage: writeUsage(turn.usage),
  };
}

export function read(body) {
  const parts = body.content.map(readPart);
  const join = (member) =>
    parts.map((part) => part[member] ?? "").join("");
  return {
    text: join("text"),
    thinking: join("thinking"),
    signature: join("signature"),
    redacted: join("redacted"),
    calls: parts.filter((part) => part.call).map(({ call }) => call),
    stop: keyOf(stops, body.stop_reason),
    usage: readUsage(body.usage),
    model: body.model,
    raw: body,
  };
}

/** The empty shell of a part, and the deltas that fill it. */
function blockOf(part) {
  if (part.text !== undefined)
    return [{ type: "text", text: "" }, words(part.text).map((piece) =>
      ({ delta: { type: "text_delta", text: piece }, text: piece }))];
  if (part.thinking !== undefined)
    return [{ type: "thinking", thinking: "", signature: "" }, [
      ...words(part.thinking).map((piece) =>
        ({ delta: { type: "thinking_delta", thinking: piece } })),
      { delta: { type: "signature_delta", signature: part.signature } },
    ]];
  if (part.redacted) return [writePart(part), []];  // comes whole
  const { id, name, args } = part.call;
  return [{ type: "tool_use", id, name, input: {} }, [
    { delta: { type: "input_json_delta", partial_json: "" } },
    ...shreds(JSON.stringify(args)).map((piece) =>
      ({ delta: { type: "input_json_delta", partial_json: piece } })),
  ]];
}

const event = (body) =>
  `event: ${body.type}\ndata: ${JSON.stringify(body)}\n\n`;

export function events(turn, meta) {
  const { stop_reason: stop, stop_sequence: sequence, usage, ...shell } =
    answer(turn, meta);
  const out = [{ bytes: event({
    type: "message_start",
    message: {
      ...shell, content: [], stop_reason: null, stop_sequence: null,
      usage: { ...usage, output_tokens: 1 },
    },
  }) }];
  for (const [index, part] of turn.parts.entries()) {
    const [block, deltas] = blockOf(part);
    out.push({ bytes: event(
      { type: "content_block_start", index, content_block: block }) });
    if (index === 0) out.push({ bytes: event({ type: "ping" }) });
    for (const { delta, text } of deltas)
      out.push({
        bytes: event({ type: "content_block_delta", index, delta }), text,
      });
    out.push({ bytes: event({ type: "content_block_stop", index }) });
  }
  out.push({ bytes: event({
    type: "message_delta",
    delta: { stop_reason: stop, stop_sequence: sequence }, usage,
  }) });
  out.push({ bytes: event({ type: "message_stop" }) });
  return out;
}

/** Parsed `data:` of one record; the name must be that of the data. */
export function parseRecord({ event: name, data }) {
  const body = JSON.parse(data);
  if (name !== body.type)
    throw new StreamError(`event ${name} holds a ${body.type}`);
  return body;
}

const appenders = {
  text_delta: (block, delta) => { block.text += delta.text; },
  thinking_delta: (block, delta) => { block.thinking += delta.thinking; },
  signature_delta: (block, delta) => { block.signature = delta.signature; },
  input_json_delta: (block, delta) => {
    block.json = (block.json ?? "") + delta.partial_json;
  },
};

export function readEvents(list) {
  let message;
  let done = false;
  for (const item of list) {
    if (item.type === "error")
      throw new StreamError(item.error.message, item);
    if (item.type === "message_start")
      message = structuredClone(item.message);
    else if (item.type === "content_block_start")
      message.content[item.index] = structuredClone(item.content_block);
    else if (item.type === "content_block_delta")
      appenders[item.delta.type](message.content[item.index], item.delta);
    else if (item.type === "message_delta")
      Object.assign(message, item.delta,
        { usage: { ...message.usage, ...item.usage } });
    else if (item.type === "message_stop") done = true;
  }
  if (!done) throw new StreamError("no message_stop");
  for (const block of message.content)
    if (block.type === "tool_use") {
      block.input = JSON.parse(block.json || "{}");
      delete block.json;
    }
  return read(message);
}

/** Visible text of one event; undefined for any other. */
export const textOf = (item) => item.delta?.text;

export function append(body, { raw: { content } }, results) {
  body.messages.push({ role: "assistant", content }, {
    role: "user",
    content: results.map((result) => writePart({ result })),
  });
}

// --- errors ---------------------------------------------------------------

const errors = {
  rate_limited: [429, "rate_limit_error"],
  failed: [500, "api_error"],
  overloaded: [529, "overloaded_error"],
  unauthenticated: [401, "authentication_error"],
  forbidden: [403, "permission_error"],
  not_found: [404, "not_found_error"],
  invalid: [400, "invalid_request_error"],
  context: [400, "invalid_request_error"],
};

export function error(kind, message) {
  const [status, type] = errors[kind];
  return {
    status,
    body: { type: "error", error: { type, message }, request_id: "req_up" },
  };
}

export const streamError = (kind, message) =>
  event(error(kind, message).body);
