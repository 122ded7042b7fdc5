// The dialects as tables, written a second time and independently of the
// product: one module each, all with the same exports, so that a scenario
// can be said once and played to or from every dialect.
//
// Neutral values used by scenarios:
//   Request { model, system, messages, tools, choice, schema, thinking,
//             effort, maxTokens, stop, temperature, stream, usage }
//     messages: [{ role: "user" | "assistant", parts }]
//   Turn    { parts, stop, usage }   what a model answers
//   Answer  what a client read: { text, thinking, signature, calls, stop,
//           usage, model, raw }; raw is the whole message in the dialect
//   part    { text } | { image: { mediaType, data } | { url } }
//           | { document: { name, mediaType, data } }
//           | { thinking, signature } | { redacted }
//           | { call: { id, name, args } }
//           | { result: { id, text, error, image } }
//   stop    "end" | "tool" | "length" | "sequence" | "filter"
//   usage   { input, cached, output, reasoning }; cached is part of input
//
// Exports of a dialect module:
//   name         as the product calls it
//   path         behind the client's base URL; or
//   place(url) -> { model, stream }  where those are in the path; undefined
//                for the URLs of other dialects
//   lacks        what it has no field for, as an upstream
//   cannot       likewise, as a client
//   basePath     what the vendor's base URL ends in
//   contentType  of a stream
//   request(Request) -> body      view(body, url) -> Request
//   answer(Turn, meta) -> body    read(body) -> Answer
//   events(Turn, meta) -> [{ bytes, text }]   text: set on visible text
//   readEvents([parsed event]) -> Answer; throws StreamError on an error or
//                                 when the end was not earned
//   parseRecord({ event, data }) -> event; undefined for an end marker
//   textOf(event) -> visible text, or undefined
//   append(body, Answer, results)  the client's next turn, in place
//   error(kind, message) -> { status, body }   streamError -> bytes
//   credential(headers) -> key presented
import * as claude from "./claude.mjs";
import * as bedrock from "./bedrock.mjs";
import * as bedrockConverse from "./bedrock_converse.mjs";
import * as gemini from "./gemini.mjs";
import * as openaiChat from "./openai_chat.mjs";
import * as openaiResponses from "./openai_responses.mjs";

/** Those that every kind of test is played in. */
export const dialects = [openaiChat, claude];

/** All of them: the scenarios. */
export const every = [
  openaiChat, claude, openaiResponses, gemini, bedrock, bedrockConverse,
];

export const dialectAt = (path) => every.find((dialect) => dialect.place
  ? dialect.place(path) : path.split("?")[0].endsWith(dialect.path));

export const named = (name) =>
  every.find((dialect) => dialect.name === name);
