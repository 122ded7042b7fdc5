// Vercel's AI SDK. No client row: it runs the tools and keeps the history
// itself, so ai_sdk_test.mjs plays rows of its own.
//
//   ways    { name, speaks, model(url, id), options, thinks, references,
//             native }: the last for structured output by a schema
//   modes   { generateText, streamText }: (options) -> answer; they throw
//           what the SDK reports, with the text seen before in `seen`
//   cannot  [way, what, why]
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";

// The results have the warnings too.
globalThis.AI_SDK_LOG_WARNINGS = false;

const at = (url, path) => ({ baseURL: url + path, apiKey: "client-key" });
const responses = (url, id) => createOpenAI(at(url, "/v1"))(id);

// `thinks`: the providers know by a model's name that it reasons, and have to
// be told of all others. `references`: earlier answers go back by their ids.
const effort = { forceReasoning: true, reasoningEffort: "low" };
export const ways = [
  {
    name: "openai responses", speaks: "openai-responses", model: responses,
    thinks: { openai: { ...effort, reasoningSummary: "auto" } },
    references: true,
  },
  {
    name: "openai responses, store: false", speaks: "openai-responses",
    model: responses, options: { openai: { store: false } },
    thinks: { openai: { ...effort, reasoningSummary: "auto", store: false } },
  },
  {
    name: "openai chat", speaks: "openai-chat",
    model: (url, id) => createOpenAI(at(url, "/v1")).chat(id),
    thinks: { openai: effort },
  },
  {
    name: "anthropic", speaks: "claude",
    model: (url, id) => createAnthropic(at(url, "/v1"))(id),
    thinks: { anthropic: {
      thinking: { type: "enabled", budgetTokens: 2048 },
    } },
    native: { anthropic: { structuredOutputMode: "outputFormat" } },
  },
  {
    name: "google", speaks: "gemini",
    model: (url, id) => createGoogle(at(url, "/v1beta"))(`models/${id}`),
    thinks: { google: {
      thinkingConfig: { thinkingBudget: 2048, includeThoughts: true },
    } },
  },
];

const settled = async (result) => ({
  text: await result.text, stop: await result.finishReason,
  usage: await result.usage, steps: await result.steps,
  warnings: await result.warnings, messages: await result.responseMessages,
});

export const modes = {
  generateText: async (options) => {
    const result = await generateText(options);
    const output = options.output && result.output;
    return { ...await settled(result), output };
  },
  streamText: async (options) => {
    const result = streamText({ ...options, onError() {} });
    let seen = "";
    // What fails is a part of the stream; nothing is thrown.
    for await (const part of result.stream) {
      if (part.type === "error") throw Object.assign(part.error, { seen });
      if (part.type === "text-delta") seen += part.text;
    }
    const output = options.output && await result.output;
    return { ...await settled(result), output };
  },
};

/** What a way has not, whatever stands behind it. */
export const cannot = [
  ["openai chat", "reasoning", "the provider reads no reasoning_content"],
  ["anthropic", "native structured output",
    "models that it does not know have to call a tool `json`"],
  ["google", "file names", "the API has none"],
  ["google", "ids with a slash", "are paths to it: they need `models/`"],
  ["google", "bare tool results", "they go as {\"name\", \"content\"}"],
];

export const fails = (way, what) =>
  cannot.some(([name, thing]) => name === way.name && thing === what);
