// gemini: POST /models/{model}:generateContent and :streamGenerateContent.
import {
  defined, keyOf, pushParts, StreamError, words,
} from "./common.mjs";

export const name = "gemini";
export const lacks = ["file names", "image URLs", "images in results"];
export const cannot = ["file names"];
export const basePath = "/v1beta";
export const contentType = "text/event-stream";
const paths = /\/models\/([^/:]+):(generateContent|streamGenerateContent)$/;

/** What a URL says; undefined = not of this dialect. */
export function place(url) {
  const match = paths.exec(decodeURIComponent(url.split("?")[0]));
  return match &&
    { model: match[1], stream: match[2] === "streamGenerateContent" };
}

const modes = { auto: "AUTO", none: "NONE", any: "ANY" };
const stops = {
  end: "STOP", length: "MAX_TOKENS", filter: "SAFETY",
};

export const credential = (headers) => headers["x-goog-api-key"];

// --- requests -------------------------------------------------------------

function writePart(part, names) {
  if (part.text !== undefined) return { text: part.text };
  if (part.thinking !== undefined)
    return { text: part.thinking, thought: true };
  if (part.document)
    return { inlineData: {
      mimeType: part.document.mediaType, data: part.document.data,
    } };
  if (part.call) {
    names.set(part.call.id, part.call.name);
    return { functionCall: part.call };
  }
  if (part.result) {
    const { id, text, error, image } = part.result;
    return { functionResponse: defined({
      id, name: names.get(id),
      response: error ? { error: text } : { output: text },
      parts: image && [{ inlineData: {
        mimeType: image.mediaType, data: image.data,
      } }],
    }) };
  }
  const { mediaType, data, url } = part.image;
  return url ? { fileData: { fileUri: url, mimeType: "image/png" } }
    : { inlineData: { mimeType: mediaType, data } };
}

const roles = { user: "user", assistant: "model" };

/** With `model`: it stands in the path. */
export function request(neutral) {
  const names = new Map();
  const { choice } = neutral;
  const config = defined({
    maxOutputTokens: neutral.maxTokens,
    temperature: neutral.temperature,
    stopSequences: neutral.stop,
    responseMimeType: neutral.schema && "application/json",
    responseJsonSchema: neutral.schema,
    thinkingConfig: neutral.thinking &&
      { thinkingBudget: neutral.thinking, includeThoughts: true },
  });
  return defined({
    model: neutral.model,
    systemInstruction: neutral.system &&
      { parts: [{ text: neutral.system }] },
    contents: neutral.messages.map(({ role, parts }) => ({
      role: roles[role], parts: parts.map((part) => writePart(part, names)),
    })),
    tools: neutral.tools && [{ functionDeclarations: neutral.tools.map(
      (tool) => defined({
        name: tool.name, description: tool.description,
        parametersJsonSchema: tool.schema,
      })) }],
    toolConfig: choice && { functionCallingConfig: modes[choice]
      ? { mode: modes[choice] }
      : { mode: "ANY", allowedFunctionNames: [choice] } },
    generationConfig: Object.keys(config).length ? config : undefined,
  });
}

const readImage = ({ mimeType, data }) => ({ mediaType: mimeType, data });

function readPart(part) {
  if (part.functionCall) {
    const { id, name: tool, args } = part.functionCall;
    return defined({
      call: { id, name: tool, args: args ?? {} },
      signature: part.thoughtSignature,
    });
  }
  if (part.functionResponse) {
    const { id, response, parts } = part.functionResponse;
    return { result: defined({
      id, text: response.output ?? response.error ?? JSON.stringify(response),
      error: response.error === undefined ? undefined : true,
      image: parts && readImage(parts[0].inlineData),
    }) };
  }
  if (part.inlineData)
    return part.inlineData.mimeType.startsWith("image/")
      ? { image: readImage(part.inlineData) }
      : { document: readImage(part.inlineData) };
  if (part.fileData) return { image: { url: part.fileData.fileUri } };
  if (part.thought)
    return defined({ thinking: part.text, signature: part.thoughtSignature });
  return { text: part.text };
}

export function view(body, url) {
  const messages = [];
  for (const { role, parts } of body.contents)
    pushParts(messages, keyOf(roles, role), parts.map(readPart));
  const config = body.generationConfig ?? {};
  const calling = body.toolConfig?.functionCallingConfig;
  return defined({
    ...place(url),
    system: body.systemInstruction?.parts.map(({ text }) => text).join("\n"),
    messages,
    tools: body.tools?.flatMap(({ functionDeclarations }) =>
      functionDeclarations).map((tool) => defined({
      name: tool.name, description: tool.description,
      // Google takes both spellings, and its Python SDK writes both.
      schema: tool.parametersJsonSchema ?? tool.parameters_json_schema,
    })),
    choice: calling &&
      (calling.allowedFunctionNames?.[0] ?? keyOf(modes, calling.mode)),
    schema: config.responseJsonSchema ?? config.responseSchema,
    thinking: config.thinkingConfig?.thinkingBudget,
    maxTokens: config.maxOutputTokens,
    temperature: config.temperature,
    stop: config.stopSequences,
    usage: true,
  });
}

// --- answers --------------------------------------------------------------

const writeUsage = (usage) => ({
  promptTokenCount: usage.input,
  cachedContentTokenCount: usage.cached ?? 0,
  candidatesTokenCount: usage.output,
  totalTokenCount: usage.input + usage.output,
});

const readUsage = (usage) => usage && {
  input: usage.promptTokenCount,
  output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
  cached: usage.cachedContentTokenCount ?? 0,
};

const shell = (parts, { id, model }, rest = {}) => ({
  candidates: [{ content: { role: "model", parts }, index: 0, ...rest }],
  modelVersion: model, responseId: id,
});

const finish = (turn) => ({ finishReason: stops[turn.stop] ?? "STOP" });

function answerPart(part) {
  const out = writePart(part, new Map());
  if (part.signature) out.thoughtSignature = part.signature;
  return out;
}

export const answer = (turn, meta) => ({
  ...shell(turn.parts.map(answerPart), meta, finish(turn)),
  usageMetadata: writeUsage(turn.usage),
});

export function read(body) {
  const [candidate] = body.candidates;
  const parts = (candidate.content?.parts ?? []).map(readPart);
  const join = (member) =>
    parts.map((part) => part[member] ?? "").join("");
  const calls = parts.filter((part) => part.call).map(({ call }) => call);
  return {
    text: join("text"), thinking: join("thinking"),
    signature: join("signature"), calls,
    stop: calls.length ? "tool" : keyOf(stops, candidate.finishReason),
    usage: readUsage(body.usageMetadata),
    model: body.modelVersion,
    raw: body,
  };
}

export function events(turn, meta) {
  const chunk = (body) => `data: ${JSON.stringify(body)}\r\n\r\n`;
  const out = [];
  for (const part of turn.parts) {
    const pieces = part.text !== undefined
      ? words(part.text).map((text) => ({ text }))
      : part.thinking !== undefined
        ? words(part.thinking).map((text) => ({ text, thought: true }))
        : [answerPart(part)];
    if (part.thinking !== undefined && part.signature)
      pieces.at(-1).thoughtSignature = part.signature;
    for (const piece of pieces)
      out.push({
        bytes: chunk(shell([piece], meta)),
        text: part.text === undefined ? undefined : piece.text,
      });
  }
  out.push({ bytes: chunk({
    ...shell([{ text: "" }], meta, finish(turn)),
    usageMetadata: writeUsage(turn.usage),
  }) });
  return out;
}

export const parseRecord = ({ data }) => JSON.parse(data);

/** Pieces of one text are one part, as programs keep them. */
function push(parts, part) {
  const last = parts.at(-1);
  const joins = part.text !== undefined && last?.text !== undefined &&
    part.thought === last.thought && !last.thoughtSignature;
  if (!joins) return parts.push({ ...part });
  last.text += part.text;
  if (part.thoughtSignature) last.thoughtSignature = part.thoughtSignature;
  return parts.length;
}

export function readEvents(chunks) {
  const parts = [];
  const body = { candidates: [{ content: { role: "model", parts } }] };
  for (const chunk of chunks) {
    if (chunk.error) throw new StreamError(chunk.error.message, chunk);
    const [candidate] = chunk.candidates;
    for (const part of candidate.content?.parts ?? [])
      if (part.text !== "" || part.thoughtSignature) push(parts, part);
    if (candidate.finishReason)
      body.candidates[0].finishReason = candidate.finishReason;
    body.modelVersion = chunk.modelVersion;
    if (chunk.usageMetadata) body.usageMetadata = chunk.usageMetadata;
  }
  if (!body.candidates[0].finishReason)
    throw new StreamError("no finishReason");
  return read(body);
}

/** Visible text of one event; undefined for any other. */
export const textOf = (chunk) => {
  const [part] = chunk.candidates?.[0]?.content?.parts ?? [];
  return part && !part.thought ? part.text || undefined : undefined;
};

export function append(body, { raw: { candidates: [{ content }] } }, results) {
  const names = new Map(content.parts.filter((part) => part.functionCall)
    .map(({ functionCall: { id, name: tool } }) => [id, tool]));
  body.contents.push(content, {
    role: "user",
    parts: results.map((result) => writePart({ result }, names)),
  });
}

// --- errors ---------------------------------------------------------------

const errors = {
  rate_limited: [429, "RESOURCE_EXHAUSTED"],
  failed: [500, "INTERNAL"],
  overloaded: [503, "UNAVAILABLE"],
  unauthenticated: [401, "UNAUTHENTICATED"],
  forbidden: [403, "PERMISSION_DENIED"],
  not_found: [404, "NOT_FOUND"],
  invalid: [400, "INVALID_ARGUMENT"],
  context: [400, "INVALID_ARGUMENT"],
};

export function error(kind, message) {
  const [code, status] = errors[kind];
  return { status: code, body: { error: { code, message, status } } };
}

export const streamError = (kind, message) =>
  `data: ${JSON.stringify(error(kind, message).body)}\r\n\r\n`;
