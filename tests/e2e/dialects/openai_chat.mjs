// openai-chat: POST /chat/completions.
import {
  dataUrl, defined, keyOf, parseDataUrl, pushParts, shreds, StreamError,
  words,
} from "./common.mjs";

export const name = "openai-chat";
export const path = "/chat/completions";
export const lacks = ["signatures", "failed results", "images in results"];
export const cannot = ["signatures", "failed results", "images in results"];
export const basePath = "/v1";
export const contentType = "text/event-stream";

const stops = {
  end: "stop", tool: "tool_calls", length: "length", filter: "content_filter",
  sequence: "stop",
};
const choices = { auto: "auto", none: "none", any: "required" };

export const credential = (headers) =>
  headers.authorization?.replace(/^Bearer /, "");

// --- requests -------------------------------------------------------------

const userPart = (part) => {
  if (part.text !== undefined) return { type: "text", text: part.text };
  if (part.document)
    return {
      type: "file",
      file: { filename: part.document.name, file_data: dataUrl(part.document) },
    };
  const url = part.image.url ?? dataUrl(part.image);
  return { type: "image_url", image_url: { url } };
};

function writeAssistant(parts) {
  const text = parts.map((part) => part.text ?? "").join("");
  const calls = parts.filter((part) => part.call).map(({ call }) =>
    call.free === undefined ? {
      id: call.id,
      type: "function",
      function: { name: call.name, arguments: JSON.stringify(call.args) },
    } : {
      id: call.id, type: "custom",
      custom: { name: call.name, input: call.free },
    });
  return defined({
    role: "assistant",
    content: text || null,
    tool_calls: calls.length ? calls : undefined,
  });
}

function writeMessage({ role, parts }) {
  if (role === "assistant") return [writeAssistant(parts)];
  const results = parts.filter((part) => part.result);
  const rest = parts.filter((part) => !part.result);
  const out = results.map(({ result }) => ({
    role: "tool", tool_call_id: result.id, content: result.text,
  }));
  if (rest.length === 1 && rest[0].text !== undefined)
    out.push({ role, content: rest[0].text });
  else if (rest.length) out.push({ role, content: rest.map(userPart) });
  return out;
}

export function request(neutral) {
  const { choice, schema } = neutral;
  return defined({
    model: neutral.model,
    messages: [
      ...(neutral.system
        ? [{ role: "system", content: neutral.system }] : []),
      ...neutral.messages.flatMap(writeMessage),
    ],
    tools: neutral.tools?.map((tool) => ({
      type: "function",
      function: defined({
        name: tool.name, description: tool.description,
        parameters: tool.schema,
      }),
    })),
    tool_choice: choice && (choices[choice] ??
      { type: "function", function: { name: choice } }),
    response_format: schema && {
      type: "json_schema",
      json_schema: { name: "answer", strict: true, schema },
    },
    reasoning_effort: neutral.effort,
    max_completion_tokens: neutral.maxTokens,
    temperature: neutral.temperature,
    stop: neutral.stop,
    stream: neutral.stream,
    stream_options:
      neutral.stream && neutral.usage ? { include_usage: true } : undefined,
  });
}

function viewParts(message) {
  const parts = [];
  if (message.role === "tool")
    return [{ result: { id: message.tool_call_id, text: flat(message) } }];
  if (message.reasoning_content)
    parts.push({ thinking: message.reasoning_content });
  if (typeof message.content === "string" && message.content)
    parts.push({ text: message.content });
  for (const part of Array.isArray(message.content) ? message.content : []) {
    if (part.type === "text") parts.push({ text: part.text });
    else if (part.type === "image_url")
      parts.push({ image: parseDataUrl(part.image_url.url) });
    else if (part.type === "file")
      parts.push({ document: {
        name: part.file.filename, ...parseDataUrl(part.file.file_data),
      } });
    else parts.push({ unknown: part });
  }
  for (const call of message.tool_calls ?? [])
    parts.push({ call: readCall(call) });
  return parts;
}

const flat = ({ content }) => typeof content === "string"
  ? content : content.map((part) => part.text).join("\n");

const readCall = ({ id, custom, function: tool }) => custom
  ? { id, name: custom.name, free: custom.input }
  : { id, name: tool.name, args: JSON.parse(tool.arguments) };

export function view(body) {
  const messages = [];
  const system = [];
  for (const message of body.messages) {
    const leading = !messages.length;
    if (leading && ["system", "developer"].includes(message.role))
      system.push(flat(message));
    else
      pushParts(messages, message.role === "tool" ? "user" : message.role,
        viewParts(message));
  }
  const choice = body.tool_choice;
  return defined({
    model: body.model,
    system: system.length ? system.join("\n") : undefined,
    messages,
    tools: body.tools?.map(({ function: tool, custom }) => defined(custom
      ? { name: custom.name, description: custom.description, free: true }
      : { name: tool.name, description: tool.description,
        schema: tool.parameters })),
    choice: choice && (keyOf(choices, choice) ?? choice.function.name),
    schema: body.response_format?.json_schema?.schema,
    effort: body.reasoning_effort,
    maxTokens: body.max_completion_tokens ?? body.max_tokens,
    temperature: body.temperature,
    stop: body.stop && [body.stop].flat(),
    stream: body.stream === true,
    usage: body.stream_options?.include_usage === true,
  });
}

// --- answers --------------------------------------------------------------

const writeUsage = (usage) => ({
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output,
  prompt_tokens_details: { cached_tokens: usage.cached ?? 0 },
  completion_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
});

const readUsage = (usage) => usage && {
  input: usage.prompt_tokens,
  output: usage.completion_tokens,
  cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
};

export function answer(turn, { id, model }) {
  const { content, tool_calls: calls } = writeAssistant(turn.parts);
  const thinking = turn.parts.map((part) => part.thinking ?? "").join("");
  return {
    id: `chatcmpl-${id}`, object: "chat.completion", created: 1794200000,
    model,
    choices: [{
      index: 0,
      message: defined({
        role: "assistant", content, refusal: null, tool_calls: calls,
        reasoning_content: thinking || undefined,
      }),
      logprobs: null,
      finish_reason: stops[turn.stop],
    }],
    usage: writeUsage(turn.usage),
  };
}

export function read(body) {
  const [{ message, finish_reason: reason }] = body.choices;
  return {
    text: message.content ?? "",
    thinking: message.reasoning_content ?? "",
    calls: (message.tool_calls ?? []).map(readCall),
    stop: keyOf(stops, reason),
    usage: readUsage(body.usage),
    model: body.model,
    raw: body,
  };
}

function* deltas(turn) {
  yield { delta: { role: "assistant", content: "", refusal: null } };
  let index = 0;
  for (const part of turn.parts) {
    for (const piece of part.thinking ? words(part.thinking) : [])
      yield { delta: { reasoning_content: piece } };
    for (const piece of part.text ? words(part.text) : [])
      yield { delta: { content: piece }, text: piece };
    if (!part.call) continue;
    const { id, name, args, free } = part.call;
    if (free !== undefined) {
      yield { delta: { tool_calls: [{
        index, id, type: "custom", custom: { name, input: "" },
      }] } };
      for (const piece of shreds(free))
        yield { delta: { tool_calls: [
          { index, custom: { input: piece } },
        ] } };
      index += 1;
      continue;
    }
    yield { delta: { tool_calls: [{
      index, id, type: "function", function: { name, arguments: "" },
    }] } };
    for (const piece of shreds(JSON.stringify(args)))
      yield { delta: { tool_calls: [
        { index, function: { arguments: piece } },
      ] } };
    index += 1;
  }
}

export function events(turn, { id, model, usage }) {
  const chunk = (rest) => `data: ${JSON.stringify({
    id: `chatcmpl-${id}`, object: "chat.completion.chunk",
    created: 1794200000, model, ...rest,
  })}\n\n`;
  const choice = (delta, reason) => ({
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
  });
  const out = [];
  for (const { delta, text } of deltas(turn))
    out.push({ bytes: chunk(choice(delta, null)), text });
  out.push({ bytes: chunk(choice({}, stops[turn.stop])) });
  if (usage)
    out.push({
      bytes: chunk({ choices: [], usage: writeUsage(turn.usage) }),
    });
  out.push({ bytes: "data: [DONE]\n\n" });
  return out;
}

/** Parsed `data:` of one record; undefined = the end marker. */
export const parseRecord = ({ data }) =>
  data === "[DONE]" ? undefined : JSON.parse(data);

export function readEvents(chunks) {
  const out = { text: "", thinking: "", calls: [] };
  for (const chunk of chunks) {
    if (chunk.error) throw new StreamError(chunk.error.message, chunk);
    if (chunk.usage) out.usage = readUsage(chunk.usage);
    out.model = chunk.model;
    for (const { delta, finish_reason: reason } of chunk.choices) {
      out.text += delta.content ?? "";
      out.thinking += delta.reasoning_content ?? "";
      for (const { index, id, function: part } of delta.tool_calls ?? []) {
        out.calls[index] ??= { id, name: part.name, args: "" };
        out.calls[index].args += part.arguments ?? "";
      }
      if (reason) out.stop = keyOf(stops, reason);
    }
  }
  if (!out.stop) throw new StreamError("no finish_reason");
  for (const call of out.calls) call.args = JSON.parse(call.args);
  const parts = [{ text: out.text }, ...out.calls.map((call) => ({ call }))];
  return { ...out, raw: { choices: [{ message: writeAssistant(parts) }] } };
}

/** Visible text of one event; undefined for any other. */
export const textOf = (chunk) =>
  chunk.choices?.[0]?.delta?.content || undefined;

export function append(body, { raw: { choices: [{ message }] } }, results) {
  body.messages.push(message, ...results.map((result) => ({
    role: "tool", tool_call_id: result.id, content: result.text,
  })));
}

// --- errors ---------------------------------------------------------------

const errors = {
  rate_limited: [429, "rate_limit_error", "rate_limit_exceeded"],
  failed: [500, "server_error", null],
  overloaded: [503, "service_unavailable_error", "server_is_overloaded"],
  unauthenticated: [401, "invalid_request_error", "invalid_api_key"],
  forbidden: [403, "invalid_request_error", null],
  not_found: [404, "invalid_request_error", "model_not_found"],
  invalid: [400, "invalid_request_error", null],
  context: [400, "invalid_request_error", "context_length_exceeded"],
};

export function error(kind, message) {
  const [status, type, code] = errors[kind];
  return { status, body: { error: { message, type, param: null, code } } };
}

export const streamError = (kind, message) =>
  `data: ${JSON.stringify(error(kind, message).body)}\n\n`;
