// Vercel's AI SDK with each of its providers, through the proxy, to every
// upstream dialect. It is the strictest reader here: its providers check every
// answer and event against schemas.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import {
  APICallError, generateObject, isStepCount, Output, StreamProviderError, tool,
} from "ai";
import { z } from "zod";

import { cannot, fails, modes, ways } from "./clients/ai_sdk.mjs";
import { every } from "./dialects/index.mjs";
import { within } from "./harness.mjs";
import { pdf, png } from "./scenarios.mjs";
import { stage } from "./stage.mjs";
import { turn } from "./upstream.mjs";

const { deepEqual, equal, match, ok } = assert;
const it = stage();

after(() => {
  for (const [way, what, why] of cannot)
    console.log(`  ${way.padEnd(12)} no ${what.padEnd(25)} ${why}`);
});

// --- rows -----------------------------------------------------------------

const prose = "Grüße, 北京 😀!\nA \"quoted\" back\\slash.";
const thought = { thinking: "The user greets. Greet back.", signature: "c2ln" };
const call = (id, city) =>
  ({ call: { id, name: "get_weather", args: { city } } });
const City = z.object({ name: z.string(), population: z.int() });
const zurich = { name: "Zürich", population: 421878 };

const tools = {
  get_weather: tool({
    description: "Weather of a city",
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => `rain in ${city}`,
  }),
};

const partsOf = (view, role) => view.messages
  .filter((message) => message.role === role)
  .flatMap(({ parts }) => parts);

/** Google's provider wraps results. */
const bare = (text) =>
  text.startsWith("{") ? JSON.parse(text).content : text;

/** Answers with parts, then with what the tools said. */
const calling = (...parts) => (exchange) => {
  const results = exchange.view.messages.at(-1).parts
    .filter((part) => part.result).map(({ result }) => bare(result.text));
  return exchange.turn(turn(
    results.length ? [{ text: results.join("; ") }] : parts));
};

// ask: the SDK's options; reply: the upstream's script; got(result, context):
// checks; sent(views, context): what the upstream was asked, call by call;
// warns(context): with warnings.
const rows = [
  {
    name: "text",
    ask: { instructions: "Be brief.", prompt: "Greet “Zoë”." },
    reply: (exchange) => exchange.turn(turn([{ text: prose }])),
    sent: ([view]) => {
      equal(view.system, "Be brief.");
      deepEqual(view.messages,
        [{ role: "user", parts: [{ text: "Greet “Zoë”." }] }]);
    },
    got: ({ text, stop, usage }) => {
      equal(text, prose);
      equal(stop, "stop");
      equal(usage.inputTokens, 20);
      equal(usage.inputTokenDetails.cacheReadTokens, 8);
      equal(usage.outputTokens, 7);
    },
  },
  {
    name: "stops by length",
    ask: { prompt: "Go on.", maxOutputTokens: 77, temperature: 0.5 },
    reply: (exchange) =>
      exchange.turn(turn([{ text: "And so" }], { stop: "length" })),
    sent: ([view]) => {
      equal(view.maxTokens, 77);
      equal(view.temperature, 0.5);
    },
    got: ({ text, stop }) => {
      equal(text, "And so");
      equal(stop, "length");
    },
  },
  {
    name: "an image and a document",
    ask: { messages: [{ role: "user", content: [
      { type: "text", text: "What are they?" },
      { type: "file", data: png.data, mediaType: png.mediaType },
      { type: "file", data: pdf.data, mediaType: pdf.mediaType,
        filename: pdf.name },
    ] }] },
    reply: (exchange) => exchange.turn(turn([{ text: "Small." }])),
    sent: ([view], { way, to }) => {
      const [text, { image }, { document }] = view.messages[0].parts;
      deepEqual(text, { text: "What are they?" });
      deepEqual(image, png);
      if (!fails(way, "file names") && !to.lacks.includes("file names"))
        equal(document.name, pdf.name);
      deepEqual({ ...document, name: pdf.name }, pdf);
    },
    got: ({ text }) => equal(text, "Small."),
  },
  {
    name: "a tool's result is used",
    ask: { prompt: "Zürich?", tools, toolChoice: "auto" },
    reply: calling(call("call_A1", "Zü\"rich\\")),
    sent: (views) => {
      equal(views.length, 2);
      equal(views[0].tools[0].name, "get_weather");
      deepEqual(views[0].tools[0].schema.required, ["city"]);
      const [{ call: { name, args } }] = partsOf(views[1], "assistant");
      deepEqual({ name, args },
        { name: "get_weather", args: { city: "Zü\"rich\\" } });
    },
    got: ({ text, steps }) => {
      equal(steps[0].finishReason, "tool-calls");
      equal(text, "rain in Zü\"rich\\");
    },
  },
  {
    name: "reasoning, text and two calls",
    thinks: true,
    ask: { prompt: "Both?", tools },
    // The SDK tells that it leaves out what nobody signed.
    warns: ({ to }) => to.lacks.includes("signatures"),
    reply: calling(thought, { text: "Checking." }, call("call_B1", "Oslo"),
      call("call_B2", "Rome")),
    sent: ([first, second], { way, to }) => {
      ok(first.thinking ?? first.effort, "thinking was not asked for");
      const parts = partsOf(second, "assistant");
      deepEqual(parts.filter((part) => part.call)
        .map((part) => part.call.args.city), ["Oslo", "Rome"]);
      if (way.references && way.speaks === to.name)
        return equal(parts.filter((part) => part.reference).length, 2);
      deepEqual(parts.filter((part) => part.text).map(({ text }) => text),
        ["Checking."]);
      const signed = parts.filter((part) => part.signature);
      return deepEqual(signed, fails(way, "reasoning") ||
        to.lacks.includes("signatures") ? [] : [thought]);
    },
    got: ({ text, steps }, { way }) => {
      equal(steps[0].text, "Checking.");
      if (!fails(way, "reasoning"))
        equal(steps[0].reasoningText, thought.thinking);
      equal(text, "rain in Oslo; rain in Rome");
    },
  },
  {
    name: "a conversation",
    ask: { prompt: "One?" }, next: "Three?",
    reply: (exchange) => exchange.turn(turn(
      [{ text: exchange.round ? "Four." : "Two." }])),
    sent: ([, view], { way, to }) => {
      deepEqual(view.messages.map(({ role }) => role),
        ["user", "assistant", "user"]);
      if (!way.references || way.speaks !== to.name)
        deepEqual(view.messages[1].parts, [{ text: "Two." }]);
    },
    got: ({ text }) => equal(text, "Four."),
  },
];

/** A row's request; the first answer's messages make the next one's past. */
async function ask(row, mode, options) {
  const answer = await modes[mode]({ ...options, ...row.ask });
  if (!row.next) return answer;
  return modes[mode]({ ...options, messages: [
    { role: "user", content: row.ask.prompt }, ...answer.messages,
    { role: "user", content: row.next },
  ] });
}

const optionsOf = (way, alias, thinks) => ({
  model: way.model(it.proxy.url, alias), maxRetries: 0,
  maxOutputTokens: 4096, stopWhen: isStepCount(3),
  providerOptions: thinks ? way.thinks : way.options,
});

function forEach(play) {
  for (const way of ways)
    for (const mode of Object.keys(modes))
      for (const to of every)
        play({ way, mode, to }, `${way.name} ${mode} -> ${to.name}`);
}

forEach((context, name) => {
  for (const row of rows)
    test(`${name}: ${row.name}`, async () => {
      const { model, alias } = it.script(context.to, row.reply);
      const answer = await within(ask(row, context.mode,
        optionsOf(context.way, alias, row.thinks)), row.name);
      row.got(answer, context);
      row.sent(it.upstream.of(model).map(({ view }) => view), context);
      if (!row.warns?.(context)) deepEqual(answer.warnings, []);
    });
});

// --- structured output ----------------------------------------------------

/** As text where a schema came, and by the call that was demanded. */
const structured = (exchange) => {
  const { schema, choice } = exchange.view;
  if (!schema) ok(choice, "neither a schema nor a tool was asked for");
  return exchange.turn(turn([schema ? { text: JSON.stringify(zurich) }
    : { call: { id: "call_S1", name: "json", args: zurich } }]));
};

forEach(({ way, mode, to }, name) => {
  const kinds = { "Output.object": way.options };
  if (way.native) kinds["Output.object, native"] = way.native;
  for (const [kind, providerOptions] of Object.entries(kinds))
    test(`${name}: ${kind}`, async () => {
      const { model, alias } = it.script(to, structured);
      const { output } = await within(modes[mode]({
        ...optionsOf(way, alias), providerOptions,
        prompt: "Zürich?", output: Output.object({ schema: City }),
      }), name);
      deepEqual(output, zurich);
      const { schema, tools: [json] = [] } = it.upstream.of(model)[0].view;
      deepEqual(Object.keys((schema ?? json.schema).properties),
        ["name", "population"]);
    });
  if (mode === "generateText")
    test(`${name}: generateObject`, async () => {
      const { alias } = it.script(to, structured);
      const { stopWhen, ...options } = optionsOf(way, alias);
      const { object } = await within(generateObject(
        { ...options, prompt: "Zürich?", schema: City }), name);
      deepEqual(object, zurich);
    });
});

// --- failures -------------------------------------------------------------

const kinds =
  { rate_limited: 429, unauthenticated: 401, invalid: 400, failed: 500 };
const ends = { error: /Overloaded/, clean: /ended before/, cut: /was closed early/ };

forEach(({ way, mode, to }, name) => {
  for (const [kind, status] of Object.entries(kinds))
    test(`${name}: ${kind}`, async () => {
      const { model, alias } = it.script(to,
        (exchange) => exchange.error(kind, "Not today."));
      await within(assert.rejects(modes[mode](
        { ...optionsOf(way, alias), prompt: "Go on." }), (error) => {
        ok(APICallError.isInstance(error), error);
        equal(error.statusCode, status);
        match(error.message, /Not today\./);
        equal(error.isRetryable, status === 429 || status >= 500);
        return true;
      }), kind);
      equal(it.upstream.of(model).length, 1);
    });

  test(`${name}: waits as long as it is told`, async () => {
    const { model, alias } = it.script(to, (exchange) => exchange.round
      ? exchange.turn(turn([{ text: "Now." }]))
      : exchange.error("rate_limited", "Wait.", { "retry-after-ms": "5" }));
    const { text } = await within(modes[mode]({
      ...optionsOf(way, alias), maxRetries: 1, prompt: "Go on.",
    }), name);
    equal(text, "Now.");
    const [first, second] = it.upstream.of(model);
    // By itself it waits two seconds.
    ok(second.startedAt - first.startedAt < 1500);
  });

  if (mode === "streamText")
    for (const [end, message] of Object.entries(ends))
      test(`${name}: a stream that ends by ${end}`, async () => {
        const { alias } = it.script(to, (exchange) => exchange.stream(
          exchange.dialect.events(turn([{ text: "one two three" }]),
            exchange.meta),
          { until: (event) => event.text?.includes("two"), end }));
        await within(assert.rejects(modes[mode](
          { ...optionsOf(way, alias), prompt: "Go on." }),
        (error) => {
          ok(StreamProviderError.isInstance(error), error);
          match(error.message, message);
          equal(error.seen.trim(), "one");
          return true;
        }), end);
      });
});
