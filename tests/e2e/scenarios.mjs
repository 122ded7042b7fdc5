// What a client asks, what the upstream answers, and what each must see:
// one row a scenario, played by every client in every mode to every
// upstream dialect (sdk_test.mjs). Neutral terms throughout, see
// dialects/index.mjs; `from` and `to` are the names of the two dialects, and
// `lost` says for the few places where one of them has no home for something
// (`cannot`: the client's, `lacks`: the upstream's).
//
//   name
//   needs   not played where that is lost
//   ask     Request without model
//   rounds  [{ results(answer)?,  tool results sent before this round
//              reply(call),       what the upstream does
//              sent(view, ctx)?,  checks what the upstream was sent
//              got(answer, ctx)? }]  checks what the client got
import assert from "node:assert/strict";

import { turn } from "./upstream.mjs";

const { deepEqual, equal, ok } = assert;

const user = (...parts) => [{ role: "user", parts }];

export const weatherTool = {
  name: "get_weather",
  description: "Weather of a city",
  schema: {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer" } },
    required: ["city"],
  },
};

export const citySchema = {
  type: "object",
  properties: {
    name: { type: "string" }, population: { type: "integer" },
  },
  required: ["name", "population"],
  additionalProperties: false,
};

/** A one-pixel PNG. */
export const png = {
  mediaType: "image/png",
  data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q" +
    "DwADhgGAWjR9awAAAABJRU5ErkJggg==",
};

/** Enough of a PDF for everybody who does not open it. */
export const pdf = {
  name: "report.pdf", mediaType: "application/pdf",
  data: Buffer.from("%PDF-1.4\n%%EOF\n").toString("base64"),
};

const prose = "Grüße, 北京 😀!\nA \"quoted\" back\\slash\tand </end>.";

const weather = (id, city) => ({
  call: { id, name: "get_weather", args: { city, days: 2 } },
});

/** Answers with what the tool results in the last message say. */
const echoResults = (call) => call.turn(turn([{
  text: call.view.messages.at(-1).parts.filter((part) => part.result)
    .map(({ result }) => `${result.id}: ${result.text}`).join("; "),
}]));

/** Answers with what the images in the last message were. */
const echoImages = (call) => call.turn(turn([{
  text: call.view.messages.at(-1).parts.filter((part) => part.image)
    .map(({ image }) => image.url ?? `${image.mediaType} of ` +
      `${Buffer.from(image.data, "base64").length} bytes`).join(", "),
}]));

const thought = { thinking: "The user greets. Greet back.", signature: "c2ln" };

const plain = [
  {
    name: "text",
    ask: { system: "Be brief.", messages: user({ text: "Greet “Zoë”." }) },
    rounds: [{
      reply: (call) => call.turn(turn([{ text: prose }])),
      sent: (view) => {
        equal(view.system, "Be brief.");
        deepEqual(view.messages, user({ text: "Greet “Zoë”." }));
      },
      got: (answer) => {
        equal(answer.text, prose);
        equal(answer.stop, "end");
        deepEqual(answer.calls, []);
        deepEqual(answer.usage, { input: 20, cached: 8, output: 7 });
      },
    }],
  },
  {
    name: "several turns and sampling",
    ask: {
      messages: [
        ...user({ text: "One?" }),
        { role: "assistant", parts: [{ text: "Two." }] },
        ...user({ text: "Three?" }),
      ],
      maxTokens: 77, temperature: 0.5, stop: ["END", "STOP"],
    },
    rounds: [{
      reply: (call) => call.turn(turn([{ text: "Four." }])),
      sent: (view, { lost }) => {
        deepEqual(view.messages.map(({ parts }) => parts[0].text),
          ["One?", "Two.", "Three?"]);
        equal(view.maxTokens, 77);
        equal(view.temperature, 0.5);
        deepEqual(view.stop,
          lost("stop sequences") ? undefined : ["END", "STOP"]);
      },
      got: (answer) => equal(answer.text, "Four."),
    }],
  },
  ...[["length", "length"], ["filter", "filter"]].map(([stop, seen]) => ({
    name: `stops by ${stop}`,
    ask: { messages: user({ text: "Go on." }) },
    rounds: [{
      reply: (call) => call.turn(turn([{ text: "And so" }], { stop })),
      got: (answer) => {
        equal(answer.text, "And so");
        equal(answer.stop, seen);
      },
    }],
  })),
  {
    name: "image as base64",
    ask: { messages: user({ text: "What is it?" }, { image: png }) },
    rounds: [{
      reply: echoImages,
      got: (answer) => equal(answer.text, "image/png of 70 bytes"),
    }],
  },
  {
    name: "image as URL",
    needs: "image URLs",
    ask: { messages: user(
      { image: { url: "https://example.invalid/a%20b.png?x=1&y=2" } },
      { text: "What is it?" }) },
    rounds: [{
      reply: echoImages,
      got: (answer) =>
        equal(answer.text, "https://example.invalid/a%20b.png?x=1&y=2"),
    }],
  },
  {
    name: "document",
    ask: { messages: user({ text: "Sum it up." }, { document: pdf }) },
    rounds: [{
      reply: (call) => call.turn(turn([{ text: "A page." }])),
      sent: (view, { lost }) => {
        const [, { document }] = view.messages[0].parts;
        if (!lost("file names")) equal(document.name, pdf.name);
        deepEqual({ ...document, name: pdf.name }, pdf);
      },
      got: (answer) => equal(answer.text, "A page."),
    }],
  },
  {
    name: "structured output",
    ask: { messages: user({ text: "Zürich?" }), schema: citySchema },
    rounds: [{
      reply: (call) => call.turn(turn(
        [{ text: '{"name":"Zürich","population":421878}' }])),
      sent: (view) => {
        deepEqual(view.schema.properties, citySchema.properties);
        deepEqual(view.schema.required, citySchema.required);
        equal(view.schema.additionalProperties, false);
      },
      got: (answer) => deepEqual(JSON.parse(answer.text),
        { name: "Zürich", population: 421878 }),
    }],
  },
];

/** A strict tool's objects are closed for targets that demand it. */
function opened({ schema: { additionalProperties, ...schema }, ...tool }) {
  if (additionalProperties !== undefined) equal(additionalProperties, false);
  return { ...tool, schema };
}

const tools = [
  {
    name: "a tool call, then an answer that uses its result",
    ask: {
      messages: user({ text: "Zürich?" }), tools: [weatherTool],
      choice: "auto",
    },
    rounds: [{
      reply: (call) => call.turn(turn([weather("call_A1", "Zü\"rich\\")])),
      sent: (view) => deepEqual(view.tools.map(opened), [weatherTool]),
      got: (answer) => {
        equal(answer.stop, "tool");
        equal(answer.text, "");
        equal(answer.calls.length, 1);
        equal(answer.calls[0].name, "get_weather");
        deepEqual(answer.calls[0].args, { city: "Zü\"rich\\", days: 2 });
      },
    }, {
      results: ([{ id }]) => [{ id, text: "12 °C" }],
      reply: echoResults,
      sent: (view) => deepEqual(view.messages, [
        ...user({ text: "Zürich?" }),
        { role: "assistant", parts: [weather("call_A1", "Zü\"rich\\")] },
        ...user({ result: { id: "call_A1", text: "12 °C" } }),
      ]),
      got: (answer) => {
        equal(answer.text, "call_A1: 12 °C");
        equal(answer.stop, "end");
      },
    }],
  },
  {
    name: "text and parallel tool calls",
    ask: { messages: user({ text: "Both?" }), tools: [weatherTool] },
    rounds: [{
      reply: (call) => call.turn(turn([
        { text: "Checking both." },
        weather("call_B1", "Oslo"), weather("call_B2", "Rome"),
      ])),
      got: (answer) => {
        equal(answer.text, "Checking both.");
        equal(answer.stop, "tool");
        deepEqual(answer.calls.map(({ args }) => args.city),
          ["Oslo", "Rome"]);
      },
    }, {
      results: (calls) => calls.map(({ id, args }) =>
        ({ id, text: `rain in ${args.city}` })),
      reply: echoResults,
      sent: (view) => deepEqual(view.messages.slice(1), [
        { role: "assistant", parts: [
          { text: "Checking both." },
          weather("call_B1", "Oslo"), weather("call_B2", "Rome"),
        ] },
        ...user(
          { result: { id: "call_B1", text: "rain in Oslo" } },
          { result: { id: "call_B2", text: "rain in Rome" } }),
      ]),
      got: (answer) =>
        equal(answer.text, "call_B1: rain in Oslo; call_B2: rain in Rome"),
    }],
  },
  {
    name: "a call without arguments",
    ask: {
      messages: user({ text: "Now?" }),
      tools: [{ name: "now", schema: { type: "object", properties: {} } }],
    },
    rounds: [{
      reply: (call) => call.turn(turn(
        [{ call: { id: "call_C1", name: "now", args: {} } }])),
      got: (answer) => {
        deepEqual(answer.calls.map(({ name, args }) => [name, args]),
          [["now", {}]]);
        equal(answer.stop, "tool");
      },
    }],
  },
  ...["any", "none", "get_weather"].map((choice) => ({
    name: `tool choice ${choice}`,
    needs: choice === "none" ? "forbidden tools" : undefined,
    ask: { messages: user({ text: "Go." }), tools: [weatherTool], choice },
    rounds: [{
      reply: (call) => call.turn(turn([{ text: "Gone." }])),
      sent: (view) => {
        equal(view.choice, choice);
        equal(view.tools.length, 1);
      },
      got: (answer) => equal(answer.text, "Gone."),
    }],
  })),
  {
    name: "a tool result that is an error",
    ask: { messages: user({ text: "Zürich?" }), tools: [weatherTool] },
    rounds: [{
      reply: (call) => call.turn(turn([weather("call_D1", "Zürich")])),
    }, {
      results: ([{ id }]) => [{ id, text: "no such city", error: true }],
      reply: (call) => call.turn(turn([{ text: "Sorry." }])),
      sent: (view, { cannot, lacks }) => {
        const { result } = view.messages.at(-1).parts[0];
        if (cannot("failed results")) equal(result.text, "no such city");
        else if (!lacks("failed results")) equal(result.error, true);
        else equal(result.text, "Error: no such city");
      },
      got: (answer) => equal(answer.text, "Sorry."),
    }],
  },
  {
    // Where images cannot stand in results they follow them.
    name: "a tool result with an image",
    ask: { messages: user({ text: "Shot?" }), tools: [weatherTool] },
    rounds: [{
      reply: (call) => call.turn(turn([weather("call_F1", "Zürich")])),
    }, {
      results: ([{ id }]) => [{ id, text: "see", image: png }],
      reply: (call) => call.turn(turn([{ text: "Fog." }])),
      sent: (view, { from, to, cannot, lacks }) => {
        const [{ result }, ...rest] = view.messages.at(-1).parts;
        equal(result.id, "call_F1");
        ok(result.text.startsWith("see"));
        if (cannot("images in results")) return;
        if (from === to || !lacks("images in results"))
          deepEqual(result.image, png);
        else deepEqual(rest.filter((part) => part.image), [{ image: png }]);
      },
      got: (answer) => equal(answer.text, "Fog."),
    }],
  },
];

const redacts = (name) => ["claude", "bedrock"].includes(name);

const thinking = [
  {
    name: "thinking",
    ask: {
      messages: user({ text: "Hi." }), thinking: 2048, effort: "medium",
      maxTokens: 4096,
    },
    rounds: [{
      reply: (call) => call.turn(turn([thought, { text: "Hello." }])),
      sent: (view) => {
        ok(view.thinking ?? view.effort, "thinking was not asked for");
        if (view.thinking) ok(view.thinking >= 1024 && view.thinking < 4096);
      },
      got: (answer, { from, to }) => {
        equal(answer.text, "Hello.");
        equal(answer.stop, "end");
        // No field of the dialect; servers that have one differ, and the
        // SDK's helper keeps only its last piece.
        if (from === "openai-chat")
          ok(thought.thinking.includes(answer.thinking));
        else equal(answer.thinking, thought.thinking);
        if (from === to && from !== "openai-chat")
          equal(answer.signature, thought.signature);
      },
    }],
  },
  {
    name: "thinking before a tool call goes back unchanged or not at all",
    ask: {
      messages: user({ text: "Zürich?" }), tools: [weatherTool],
      thinking: 1024, effort: "low", maxTokens: 4096,
    },
    rounds: [{
      reply: (call) =>
        call.turn(turn([thought, weather("call_E1", "Zürich")])),
      got: (answer) => equal(answer.calls.length, 1),
    }, {
      results: ([{ id }]) => [{ id, text: "12 °C" }],
      reply: echoResults,
      sent: (view, { lost }) => {
        const { parts } = view.messages[1];
        // Whatever the client speaks, it brings back what was signed.
        deepEqual(parts.filter((part) => part.signature),
          lost("signatures") ? [] : [thought]);
        ok(!parts.some((part) => part.text?.includes(thought.thinking)),
          "thinking became visible text");
        deepEqual(parts.at(-1), weather("call_E1", "Zürich"));
      },
      got: (answer) => equal(answer.text, "call_E1: 12 °C"),
    }],
  },
  {
    name: "redacted thinking",
    ask: {
      messages: user({ text: "Zürich?" }), tools: [weatherTool],
      thinking: 1024, effort: "low", maxTokens: 4096,
    },
    rounds: [{
      reply: (call) => call.turn(turn([
        ...redacts(call.dialect.name) ? [{ redacted: "b3BhcXVl" }] : [],
        weather("call_G1", "Zürich"),
      ])),
      got: (answer) => {
        equal(answer.text, "");
        equal(answer.calls.length, 1);
      },
    }, {
      results: ([{ id }]) => [{ id, text: "12 °C" }],
      reply: echoResults,
      sent: (view, { from, to }) => deepEqual(view.messages[1].parts, [
        ...from !== "openai-chat" && redacts(to)
          ? [{ redacted: "b3BhcXVl" }] : [],
        weather("call_G1", "Zürich"),
      ]),
      got: (answer) => equal(answer.text, "call_G1: 12 °C"),
    }],
  },
];

export const scenarios = [...plain, ...tools, ...thinking];
