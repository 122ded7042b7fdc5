// openai-responses: POST /responses.
import {
  dataUrl, defined, keyOf, parseDataUrl, pushParts, shreds, StreamError,
  words,
} from "./common.mjs";

export const name = "openai-responses";
export const path = "/responses";
export const lacks = ["stop sequences", "failed results"];
export const cannot = ["stop sequences", "failed results"];
export const basePath = "/v1";
export const contentType = "text/event-stream; charset=utf-8";

const choices = { auto: "auto", none: "none", any: "required" };

export const credential = (headers) =>
  headers.authorization?.replace(/^Bearer /, "");

// --- requests -------------------------------------------------------------

const userPart = (part) => {
  if (part.text !== undefined) return { type: "input_text", text: part.text };
  if (part.document)
    return {
      type: "input_file", filename: part.document.name,
      file_data: dataUrl(part.document),
    };
  const url = part.image.url ?? dataUrl(part.image);
  return { type: "input_image", image_url: url };
};

function writeItems({ role, parts }) {
  const out = [];
  let message;
  for (const part of parts) {
    if (part.result) {
      const { id, text, image } = part.result;
      out.push({
        type: "function_call_output", call_id: id,
        output: image ? [{ text }, { image }].map(userPart) : text,
      });
      message = undefined;
    } else if (part.call?.free !== undefined) {
      out.push({
        type: "custom_tool_call", call_id: part.call.id, name: part.call.name,
        input: part.call.free,
      });
      message = undefined;
    } else if (part.call) {
      out.push({
        type: "function_call", call_id: part.call.id, name: part.call.name,
        arguments: JSON.stringify(part.call.args),
      });
      message = undefined;
    } else if (part.thinking === undefined) {
      if (!message) out.push(message = { role, content: [] });
      message.content.push(role === "assistant"
        ? { type: "output_text", text: part.text } : userPart(part));
    }
  }
  return out;
}

export function request(neutral) {
  const { choice, schema, effort } = neutral;
  return defined({
    model: neutral.model,
    instructions: neutral.system,
    input: neutral.messages.flatMap(writeItems),
    tools: neutral.tools?.map((tool) => defined({
      type: "function", name: tool.name, description: tool.description,
      parameters: tool.schema, strict: false,
    })),
    tool_choice: choice &&
      (choices[choice] ?? { type: "function", name: choice }),
    text: schema && { format: {
      type: "json_schema", name: "answer", strict: true, schema,
    } },
    reasoning: effort && { effort, summary: "auto" },
    max_output_tokens: neutral.maxTokens,
    temperature: neutral.temperature,
    stream: neutral.stream,
    store: false,
    include: ["reasoning.encrypted_content"],
  });
}

function readPart(part) {
  if (part.type === "input_text" || part.type === "output_text")
    return { text: part.text };
  if (part.type === "input_image")
    return { image: parseDataUrl(part.image_url) };
  if (part.type === "input_file")
    return { document: {
      name: part.filename, ...parseDataUrl(part.file_data),
    } };
  return { unknown: part };
}

const readResult = ({ call_id: id, output }) => {
  if (typeof output === "string") return { result: { id, text: output } };
  const parts = output.map(readPart);
  return { result: defined({
    id, text: parts.filter((part) => part.text !== undefined)
      .map(({ text }) => text).join("\n"),
    image: parts.find((part) => part.image)?.image,
  }) };
};

const readCall = ({ call_id: id, name: tool, arguments: text }) =>
  ({ id, name: tool, args: JSON.parse(text) });

/** Every tool, those in namespaces by their full name. */
const toolsOf = (body) => {
  const items = [body.input].flat();
  const all = [body.tools ?? [], ...items.map(({ tools }) => tools ?? [])];
  return all.flat().flatMap((tool) => tool.type === "namespace"
    ? tool.tools.map((inner) => ({ ...inner,
      name: `${tool.name}__${inner.name}`, namespace: tool.name }))
    : [tool]);
};

export function view(body) {
  const messages = [];
  const tools = toolsOf(body);
  let system = body.instructions;
  for (const item of [body.input].flat()) {
    if (item.type === "additional_tools") continue;
    if (!messages.length && ["system", "developer"].includes(item.role))
      system = [item.content].flat().map((part) => part.text ?? part)
        .join("\n");
    else if (/^(function|custom_tool)_call_output$/.test(item.type))
      pushParts(messages, "user", [readResult(item)]);
    else if (item.type === "function_call")
      pushParts(messages, "assistant", [{ call: readCall(item) }]);
    else if (item.type === "custom_tool_call")
      pushParts(messages, "assistant", [{ call:
        { id: item.call_id, name: item.name, free: item.input } }]);
    else if (item.type === "reasoning")
      pushParts(messages, "assistant", [defined({
        thinking: item.summary.map(({ text }) => text).join("\n"),
        signature: item.encrypted_content,
      })]);
    else if (item.type === "item_reference")
      pushParts(messages, "assistant", [{ reference: item.id }]);
    else if (typeof item.content === "string")
      pushParts(messages, item.role, [{ text: item.content }]);
    else pushParts(messages, item.role, item.content.map(readPart));
  }
  const choice = body.tool_choice;
  return defined({
    model: body.model,
    system,
    messages,
    tools: tools.length ? tools.map((tool) => defined({
      name: tool.name, description: tool.description, schema: tool.parameters,
      free: tool.type === "custom" || undefined, namespace: tool.namespace,
    })) : body.tools,
    choice: choice && (keyOf(choices, choice) ?? choice.name),
    schema: body.text?.format?.schema,
    effort: body.reasoning?.effort,
    maxTokens: body.max_output_tokens,
    temperature: body.temperature,
    stream: body.stream === true,
    usage: true,
  });
}

// --- answers --------------------------------------------------------------

const writeUsage = (usage) => ({
  input_tokens: usage.input,
  input_tokens_details: { cached_tokens: usage.cached ?? 0 },
  output_tokens: usage.output,
  output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
  total_tokens: usage.input + usage.output,
});

const readUsage = (usage) => usage && {
  input: usage.input_tokens,
  output: usage.output_tokens,
  cached: usage.input_tokens_details?.cached_tokens ?? 0,
};

const reasons = { length: "max_output_tokens", filter: "content_filter" };

/** The name of a tool in a namespace goes apart. */
const spaced = ({ name, namespace }) => namespace
  ? { name: name.slice(namespace.length + 2), namespace } : { name };

function itemOf(part, id, index, status) {
  if (part.thinking !== undefined)
    return {
      id: `rs_${id}_${index}`, type: "reasoning",
      summary: [{ type: "summary_text", text: part.thinking }],
      encrypted_content: part.signature,
    };
  if (part.call?.free !== undefined)
    return {
      id: `ctc_${id}_${index}`, type: "custom_tool_call", status,
      call_id: part.call.id, ...spaced(part.call), input: part.call.free,
    };
  if (part.call)
    return {
      id: `fc_${id}_${index}`, type: "function_call", status,
      call_id: part.call.id, name: part.call.name,
      arguments: JSON.stringify(part.call.args),
    };
  return {
    id: `msg_${id}_${index}`, type: "message", status, role: "assistant",
    content: [{ type: "output_text", text: part.text, annotations: [] }],
  };
}

export function answer(turn, { id, model }) {
  const reason = reasons[turn.stop];
  return {
    id: `resp_${id}`, object: "response", created_at: 1794200000, model,
    status: reason ? "incomplete" : "completed",
    error: null,
    incomplete_details: reason ? { reason } : null,
    output: turn.parts.map((part, index) => itemOf(part, id, index,
      reason ? "incomplete" : "completed")),
    parallel_tool_calls: true, tool_choice: "auto", tools: [],
    usage: writeUsage(turn.usage),
  };
}

export function read(body) {
  const texts = [];
  const thinking = [];
  const calls = [];
  let signature = "";
  for (const item of body.output) {
    if (item.type === "message")
      for (const part of item.content) texts.push(part.text ?? "");
    if (item.type === "reasoning") {
      thinking.push(...item.summary.map(({ text }) => text));
      signature += item.encrypted_content ?? "";
    }
    if (item.type === "function_call") calls.push(readCall(item));
  }
  const reason = body.incomplete_details?.reason;
  return {
    text: texts.join(""), thinking: thinking.join(""), signature, calls,
    stop: reason ? keyOf(reasons, reason) : calls.length ? "tool" : "end",
    usage: readUsage(body.usage),
    model: body.model,
    raw: body,
  };
}

function* itemEvents(part, id, index, status) {
  const item = itemOf(part, id, index, status);
  const at = { item_id: item.id, output_index: index };
  const added = (rest) => ({
    type: "response.output_item.added", output_index: index,
    item: { ...item, ...rest },
  });
  if (item.type === "message") {
    const [whole] = item.content;
    const empty = { ...whole, text: "" };
    yield [added({ status: "in_progress", content: [] })];
    yield [{ type: "response.content_part.added", ...at, content_index: 0,
      part: empty }];
    for (const piece of words(part.text))
      yield [{ type: "response.output_text.delta", ...at, content_index: 0,
        delta: piece, logprobs: [] }, piece];
    yield [{ type: "response.output_text.done", ...at, content_index: 0,
      text: whole.text, logprobs: [] }];
    yield [{ type: "response.content_part.done", ...at, content_index: 0,
      part: whole }];
  } else if (item.type === "reasoning") {
    const [whole] = item.summary;
    yield [added({ summary: [], encrypted_content: null })];
    yield [{ type: "response.reasoning_summary_part.added", ...at,
      summary_index: 0, part: { ...whole, text: "" } }];
    for (const piece of words(part.thinking))
      yield [{ type: "response.reasoning_summary_text.delta", ...at,
        summary_index: 0, delta: piece }];
    yield [{ type: "response.reasoning_summary_text.done", ...at,
      summary_index: 0, text: whole.text }];
    yield [{ type: "response.reasoning_summary_part.done", ...at,
      summary_index: 0, part: whole }];
  } else if (item.type === "custom_tool_call") {
    yield [added({ status: "in_progress", input: "" })];
    for (const piece of shreds(item.input))
      yield [{ type: "response.custom_tool_call_input.delta", ...at,
        delta: piece }];
    yield [{ type: "response.custom_tool_call_input.done", ...at,
      input: item.input }];
  } else {
    yield [added({ status: "in_progress", arguments: "" })];
    for (const piece of shreds(item.arguments))
      yield [{ type: "response.function_call_arguments.delta", ...at,
        delta: piece }];
    yield [{ type: "response.function_call_arguments.done", ...at,
      arguments: item.arguments }];
  }
  yield [{ type: "response.output_item.done", output_index: index, item }];
}

export function events(turn, { id, model }) {
  const final = answer(turn, { id, model });
  const begun = {
    ...final, status: "in_progress", output: [], usage: null,
    incomplete_details: null,
  };
  const list = [
    [{ type: "response.created", response: begun }],
    [{ type: "response.in_progress", response: begun }],
    ...turn.parts.flatMap((part, index) =>
      [...itemEvents(part, id, index, final.output[index].status)]),
    [{ type: `response.${final.status}`, response: final }],
  ];
  return list.map(([body, text], index) => ({
    bytes: `event: ${body.type}\n` +
      `data: ${JSON.stringify({ ...body, sequence_number: index })}\n\n`,
    text,
  }));
}

/** Parsed `data:` of one record; the name must be that of the data. */
export function parseRecord({ event, data }) {
  const body = JSON.parse(data);
  if (event !== body.type)
    throw new StreamError(`event ${event} holds a ${body.type}`);
  return body;
}

/** What the deltas add up to must be what the end says. */
export function readEvents(list) {
  let text = "";
  let final;
  // A sign of life in a stream that is passed on has no number.
  const numbered = list.filter(({ type, sequence_number: number }) =>
    type !== "keepalive" || number !== undefined);
  for (const [index, item] of numbered.entries()) {
    if (item.sequence_number !== index)
      throw new StreamError(`sequence_number ${item.sequence_number}`);
    if (item.type === "error") throw new StreamError(item.message, item);
    if (item.type === "response.failed")
      throw new StreamError(item.response.error.message, item);
    if (item.type === "response.output_text.delta") text += item.delta;
    if (["response.completed", "response.incomplete"].includes(item.type))
      final = item.response;
  }
  if (!final) throw new StreamError("no response.completed");
  const out = read(final);
  if (out.text !== text) throw new StreamError(`${text} is not ${out.text}`);
  return out;
}

/** Visible text of one event; undefined for any other. */
export const textOf = (item) =>
  item.type === "response.output_text.delta" ? item.delta : undefined;

export function append(body, { raw: { output } }, results) {
  body.input.push(...output, ...results.map((result) =>
    writeItems({ role: "user", parts: [{ result }] })[0]));
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

export const streamError = (kind, message) => `event: error\ndata: ${
  JSON.stringify({ type: "error", code: errors[kind][2], message,
    param: null, sequence_number: 99 })}\n\n`;
