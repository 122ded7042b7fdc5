// The Python SDKs as client rows, see index.mjs; a way of an SDK is a row.
//
//   modes    which method asks; `parsers` likewise, with the SDK's own
//            parser, and `unparsed` says why a mode has none
//   calls    how the methods are called, for the table
//   error    the exception for status 429
//   append   what a scenario adds: the SDK keeps the history itself
//   seen     what a scenario may check of what the upstream was sent
import * as bedrock from "../dialects/bedrock.mjs";
import * as converse from "../dialects/bedrock_converse.mjs";
import * as claude from "../dialects/claude.mjs";
import * as gemini from "../dialects/gemini.mjs";
import * as chat from "../dialects/openai_chat.mjs";
import * as responses from "../dialects/openai_responses.mjs";
import { driver } from "../python/driver.mjs";

const drivers = {
  openai: driver("openai_sdk.py", "openai"),
  anthropic: driver("anthropic_sdk.py", "anthropic"),
  google: driver("google_sdk.py", "google.genai"),
  boto3: driver("boto3_sdk.py", "boto3"),
};

export const stopPython = () =>
  Promise.all(Object.values(drivers).map((one) => one.stop()));

const raw = "create(stream=True) gives bare events: .stream() parses";
const chunks = "it parses whole answers, not streams";
const none = "boto3 has no parser";

/** With texts that follow each other as one, and none that is empty: with
 * Google's SDK a history holds an answer in the pieces it was streamed in. */
const joined = (view) => ({
  ...view,
  messages: view.messages.map(({ role, parts }) => ({
    role,
    parts: parts.reduce((out, part) => {
      const last = out.at(-1);
      if (part.text === "") return out;
      if (part.text === undefined || last?.text === undefined)
        out.push({ ...part });
      else last.text += part.text;
      return out;
    }, []),
  })),
});

const row = (sdk, way, dialect, error, rest) => {
  const { calls, parsers = {}, unparsed, seen } = rest;
  const asks = (mode) => async ({ url }, body, shape) =>
    (await drivers[sdk].get()).ask(body.results
      ? { results: body.results } : { way, mode, url, body, shape });
  const all = (modes) => Object.fromEntries(Object.entries(modes)
    .map(([name, mode]) => [name, asks(mode)]));
  return {
    name: `Python ${sdk} ${way}`,
    dialect, error, calls, unparsed, seen,
    make: (session) => session,
    version: async () => (await drivers[sdk].get())?.version,
    modes: all(Object.fromEntries(
      Object.keys(calls).map((mode) => [mode, mode]))),
    parsers: all(parsers),
    append: (body, _, results) => { body.results = results; },
  };
};

const helped = (method) => ({
  calls: {
    create: `${method}.create`, stream: `${method}.create(stream=True)`,
    helper: `${method}.stream`,
  },
  parsers: { create: "parse", helper: "parse_stream" },
  unparsed: { stream: raw },
});

export const pythonClients = [
  row("openai", "chat", chat, "RateLimitError", helped("chat.completions")),
  row("openai", "responses", responses, "RateLimitError",
    helped("responses")),
  row("anthropic", "messages", claude, "RateLimitError", helped("messages")),
  row("google", "models", gemini, "ClientError", {
    calls: { create: "generate_content", stream: "generate_content_stream" },
    parsers: { create: "parse" }, unparsed: { stream: chunks }, seen: joined,
  }),
  row("boto3", "converse", converse, "ThrottlingException", {
    calls: { create: "converse", stream: "converse_stream" },
    unparsed: { create: none, stream: none },
  }),
  row("boto3", "invoke", bedrock, "ThrottlingException", {
    calls: {
      create: "invoke_model", stream: "invoke_model_with_response_stream",
    },
    unparsed: { create: none, stream: none },
  }),
];
