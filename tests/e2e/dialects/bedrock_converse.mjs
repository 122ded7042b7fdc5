// bedrock-converse: POST /model/{id}/converse and /converse-stream.
import { defined, keyOf, pushParts, shreds, StreamError, words }
  from "./common.mjs";
import { eventFrame, placeOf } from "./frames.mjs";

export const name = "bedrock-converse";
export const lacks = ["image URLs", "file names", "forbidden tools", "redaction"];
export const cannot = ["image URLs", "file names", "forbidden tools"];
export const basePath = "";
export {
  contentType, credential, error, streamError,
} from "./frames.mjs";

export const place = placeOf("converse", "converse-stream");

const stops = {
  end: "end_turn", tool: "tool_use", length: "max_tokens",
  sequence: "stop_sequence", filter: "content_filtered",
};
const formats = { "application/pdf": "pdf" };

// --- requests -------------------------------------------------------------

// The SDK takes bytes where the wire has base64; `bytes` says which.
function writePart(part, bytes = (data) => data) {
  if (part.text !== undefined) return { text: part.text };
  if (part.thinking !== undefined)
    return { reasoningContent: { reasoningText: {
      text: part.thinking, signature: part.signature,
    } } };
  if (part.document)
    return { document: {
      name: part.document.name.replace(/\..*/, ""),
      format: formats[part.document.mediaType],
      source: { bytes: bytes(part.document.data) },
    } };
  if (part.call)
    return { toolUse: {
      toolUseId: part.call.id, name: part.call.name, input: part.call.args,
    } };
  if (part.result) {
    const { id, text, error: failed, image } = part.result;
    return { toolResult: defined({
      toolUseId: id,
      content: image ? [{ text }, writePart({ image }, bytes)] : [{ text }],
      status: failed ? "error" : undefined,
    }) };
  }
  const { mediaType, data } = part.image;
  return { image: {
    format: mediaType.replace("image/", ""), source: { bytes: bytes(data) },
  } };
}

const choiceOf = (choice) => choice === "any" ? { any: {} }
  : choice === "auto" ? { auto: {} } : { tool: { name: choice } };

/** As the SDK takes it: with `modelId`, and bytes as bytes. */
export function request(neutral) {
  const bytes = (data) => Buffer.from(data, "base64");
  const { choice } = neutral;
  const config = defined({
    maxTokens: neutral.maxTokens, temperature: neutral.temperature,
    stopSequences: neutral.stop,
  });
  return defined({
    modelId: neutral.model,
    system: neutral.system && [{ text: neutral.system }],
    messages: neutral.messages.map(({ role, parts }) => ({
      role, content: parts.map((part) => writePart(part, bytes)),
    })),
    toolConfig: neutral.tools && defined({
      tools: neutral.tools.map((tool) => ({ toolSpec: defined({
        name: tool.name, description: tool.description,
        inputSchema: { json: tool.schema },
      }) })),
      toolChoice: choice && choiceOf(choice),
    }),
    outputConfig: neutral.schema && { textFormat: {
      type: "json_schema", structure: { jsonSchema: {
        name: "answer", schema: JSON.stringify(neutral.schema),
      } },
    } },
    additionalModelRequestFields: neutral.thinking && { thinking: {
      type: "enabled", budget_tokens: neutral.thinking,
    } },
    inferenceConfig: Object.keys(config).length ? config : undefined,
  });
}

const text64 = (data) => typeof data === "string" ? data
  : Buffer.from(data).toString("base64");

const readImage = ({ format, source }) =>
  ({ mediaType: `image/${format}`, data: text64(source.bytes) });

function readPart(block) {
  if (block.text !== undefined) return { text: block.text };
  if (block.reasoningContent) {
    const { reasoningText, redactedContent } = block.reasoningContent;
    return redactedContent ? { redacted: text64(redactedContent) } : defined({
      thinking: reasoningText.text ?? "", signature: reasoningText.signature,
    });
  }
  if (block.image) return { image: readImage(block.image) };
  if (block.document)
    return { document: {
      name: block.document.name,
      mediaType: keyOf(formats, block.document.format),
      data: text64(block.document.source.bytes),
    } };
  if (block.toolUse) {
    const { toolUseId: id, name: tool, input } = block.toolUse;
    return { call: { id, name: tool, args: input } };
  }
  if (block.toolResult) {
    const { toolUseId: id, content, status } = block.toolResult;
    const image = content.find((one) => one.image);
    return { result: defined({
      id, text: content.map((one) => one.text ?? "").join(""),
      error: status === "error" ? true : undefined,
      image: image && readImage(image.image),
    }) };
  }
  return { unknown: block };
}

export function view(body, url) {
  const messages = [];
  for (const { role, content } of body.messages)
    pushParts(messages, role, content.filter((block) => !block.cachePoint)
      .map(readPart));
  const choice = body.toolConfig?.toolChoice;
  const schema =
    body.outputConfig?.textFormat?.structure.jsonSchema.schema;
  return defined({
    ...place(url),
    system: body.system?.map(({ text }) => text).join("\n"),
    messages,
    tools: body.toolConfig?.tools.map(({ toolSpec }) => defined({
      name: toolSpec.name, description: toolSpec.description,
      schema: toolSpec.inputSchema.json,
    })),
    choice: choice && (choice.tool?.name ?? Object.keys(choice)[0]),
    schema: schema && JSON.parse(schema),
    thinking: body.additionalModelRequestFields?.thinking?.budget_tokens,
    effort: body.outputConfig?.effort,
    maxTokens: body.inferenceConfig?.maxTokens,
    temperature: body.inferenceConfig?.temperature,
    stop: body.inferenceConfig?.stopSequences,
    usage: true,
  });
}

// --- answers --------------------------------------------------------------

const writeUsage = (usage) => ({
  inputTokens: usage.input - (usage.cached ?? 0),
  cacheReadInputTokens: usage.cached ?? 0,
  outputTokens: usage.output,
  totalTokens: usage.input + usage.output,
});

const readUsage = (usage) => usage && {
  input: usage.inputTokens + (usage.cacheReadInputTokens ?? 0) +
    (usage.cacheWriteInputTokens ?? 0),
  output: usage.outputTokens,
  cached: usage.cacheReadInputTokens ?? 0,
};

export const answer = (turn) => ({
  output: { message: {
    role: "assistant", content: turn.parts.map((part) => writePart(part)),
  } },
  stopReason: stops[turn.stop],
  usage: writeUsage(turn.usage),
  metrics: { latencyMs: 7 },
});

export function read(body) {
  const { content } = body.output.message;
  const parts = content.map(readPart);
  const join = (member) =>
    parts.map((part) => part[member] ?? "").join("");
  return {
    text: join("text"), thinking: join("thinking"),
    signature: join("signature"), redacted: join("redacted"),
    calls: parts.filter((part) => part.call).map(({ call }) => call),
    stop: keyOf(stops, body.stopReason),
    usage: readUsage(body.usage),
    raw: body,
  };
}

function* deltas(part, index) {
  const delta = (body, text) => ["contentBlockDelta",
    { contentBlockIndex: index, delta: body }, text];
  if (part.text !== undefined) {
    for (const text of words(part.text)) yield delta({ text }, text);
  } else if (part.thinking !== undefined) {
    for (const text of words(part.thinking))
      yield delta({ reasoningContent: { text } });
    yield delta({ reasoningContent: { signature: part.signature } });
  } else {
    const { id, name: tool, args } = part.call;
    yield ["contentBlockStart", { contentBlockIndex: index,
      start: { toolUse: { toolUseId: id, name: tool } } }];
    for (const input of shreds(JSON.stringify(args)))
      yield delta({ toolUse: { input } });
  }
  yield ["contentBlockStop", { contentBlockIndex: index }];
}

export function events(turn) {
  return [
    ["messageStart", { role: "assistant" }],
    ...turn.parts.flatMap((part, index) => [...deltas(part, index)]),
    ["messageStop", { stopReason: stops[turn.stop] }],
    ["metadata", { usage: writeUsage(turn.usage),
      metrics: { latencyMs: 7 } }],
  ].map(([type, body, text]) => ({ bytes: eventFrame(type, body), text }));
}

const adders = {
  text: (block, text) => { block.text = (block.text ?? "") + text; },
  toolUse: (block, { input }) => {
    block.json = (block.json ?? "") + input;
  },
  reasoningContent: (block, { text, signature, redactedContent }) => {
    const whole = block.reasoningContent ??= {};
    if (redactedContent) whole.redactedContent = redactedContent;
    else whole.reasoningText = {
      text: (whole.reasoningText?.text ?? "") + (text ?? ""),
      signature: signature ?? whole.reasoningText?.signature,
    };
  },
};

/** Events as the SDK gives them: { [type]: body }. */
export function readEvents(list) {
  const content = [];
  const body = { output: { message: { role: "assistant", content } } };
  for (const event of list) {
    const [[type, data]] = Object.entries(event);
    const index = data.contentBlockIndex;
    if (type === "contentBlockStart")
      content[index] = { toolUse: { ...data.start.toolUse } };
    else if (type === "contentBlockDelta") {
      const [[kind, delta]] = Object.entries(data.delta);
      adders[kind](content[index] ??= {}, delta);
    } else if (type === "messageStop") body.stopReason = data.stopReason;
    else if (type === "metadata") body.usage = data.usage;
  }
  if (!body.stopReason || !body.usage)
    throw new StreamError("no messageStop or no metadata");
  for (const block of content)
    if (block.toolUse) {
      block.toolUse.input = JSON.parse(block.json || "{}");
      delete block.json;
    }
  return read(body);
}

/** Visible text of one event; undefined for any other. */
export const textOf = (event) => event.contentBlockDelta?.delta.text;

export function append(body, { raw: { output } }, results) {
  body.messages.push(output.message, {
    role: "user",
    content: results.map((result) => writePart({ result },
      (data) => Buffer.from(data, "base64"))),
  });
}
