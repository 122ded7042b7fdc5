// The program as people meet it first: no configuration, no keys, the demo
// behind every endpoint. And what a key in the environment adds.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { clients, others, rawOf, raws, sdks } from "./clients/index.mjs";
import { post } from "./clients/raw.mjs";
import { dialects } from "./dialects/index.mjs";
import { Proxy, within } from "./harness.mjs";
import { citySchema, png, weatherTool } from "./scenarios.mjs";
import { ask } from "./stage.mjs";
import { turn, Upstream } from "./upstream.mjs";

let proxy;
before(async () => { proxy = await Proxy.start(); });
after(async () => { await proxy?.stop(); });

const session = (client, rest) => client.make({ url: proxy.url, ...rest });
const user = (...parts) => [{ role: "user", parts }];

/**
 * Every SDK and every dialect, streamed and not. Without those that add
 * /openai themselves: that is the vendor's whole API here.
 */
const each = (name, play, plays = () => true) => {
  for (const client of [...clients, ...others].filter((row) =>
    plays(row) && !row.name.startsWith("groq")))
    for (const mode of Object.keys(client.modes))
      test(`${client.name} ${mode}: ${name}`, () => within(play({
        client,
        send: (body) => client.modes[mode](session(client), body),
        body: (rest) => ask(client, "demo", rest),
      }), name));
};

each("text", async ({ send, body }) => {
  const answer = await send(
    body({ messages: user({ text: "Grüezi 😀!" }) }));
  assert.match(answer.text, /Grüezi 😀!/);
  assert.equal(answer.stop, "end");
  // Converse names none.
  if (answer.model !== undefined) assert.equal(answer.model, "demo");
  assert.ok(answer.usage.input > 0 && answer.usage.output > 0);
});

each("the same question has the same answer", async ({ send, body }) => {
  const [one, two] = [await send(body()), await send(body())];
  assert.equal(one.text, two.text);
});

each("a tool call, and its result used", async ({ client, send, body }) => {
  const request = body(
    { tools: [weatherTool], messages: user({ text: "Weather in Oslo?" }) });
  const called = await send(request);
  assert.equal(called.stop, "tool");
  const [{ id, name, args }] = called.calls;
  assert.equal(name, "get_weather");
  assert.equal(typeof args.city, "string");
  const append = client.append ?? client.dialect.append;
  append(request, called, [{ id, text: "12 degrees" }]);
  const answer = await send(request);
  assert.match(answer.text, /12 degrees/);
  assert.equal(answer.stop, "end");
});

const timeTool = { ...weatherTool, name: "get_time" };

each("several tools, where several are asked for", async ({ send, body }) => {
  for (const [text, names] of [
    ["The weather and the time in Oslo?", ["get_weather", "get_time"]],
    ["The time in Oslo and Z\u00fcrich?", ["get_time", "get_time"]],
    ["Both, please", ["get_weather", "get_time"]],
    ["Oslo", ["get_weather"]],
  ]) {
    const { calls } = await send(body(
      { tools: [weatherTool, timeTool], messages: user({ text }) }));
    assert.deepEqual(calls.map(({ name }) => name), names, text);
    assert.equal(new Set(calls.map(({ id }) => id)).size, names.length);
  }
});

each("tools may be offered and forbidden", async ({ send, body }) => {
  const answer = await send(body({ tools: [weatherTool], choice: "none" }));
  assert.deepEqual(answer.calls, []);
  assert.notEqual(answer.text, "");
}, ({ dialect }) => !dialect.cannot.includes("forbidden tools"));

each("an image is noticed", async ({ send, body }) => {
  const answer = await send(
    body({ messages: user({ text: "See?" }, { image: png }) }));
  assert.match(answer.text, /image/);
});

each("structured output fits its schema", async ({ send, body }) => {
  const { text } = await send(body({ schema: citySchema }));
  const city = JSON.parse(text);
  assert.deepEqual(Object.keys(city), citySchema.required);
  assert.equal(typeof city.name, "string");
  assert.ok(Number.isInteger(city.population));
});

each("thinking when asked for", async ({ client, send, body }) => {
  const answer = await send(body(
    { thinking: 1024, effort: "high", maxTokens: 4096 }));
  assert.notEqual(answer.text, "");
  if (!["claude", "bedrock"].includes(client.dialect.name)) return;
  assert.ok(answer.thinking.length > 0);
  assert.ok(answer.signature.length > 0);
  assert.equal((await send(body())).thinking, "");
});

each("the output limit", async ({ send, body }) => {
  const answer = await send(body({
    maxTokens: 3, messages: user({ text: "one two three four five six" }),
  }));
  assert.equal(answer.stop, "length");
});

each("its faults are errors", async ({ client, send, body }) => {
  // Amazon has no 401.
  const here = (status) =>
    status === 401 && client.dialect.name.startsWith("bedrock") ? 403 : status;
  const failing = async (model) => {
    let error;
    await assert.rejects(send(body({ model })), (thrown) => {
      error = thrown;
      return true;
    });
    const status = error.status ?? error.statusCode ??
      error.$metadata?.httpStatusCode;
    return { message: String(error.message), status };
  };
  for (const status of [400, 401, 403, 404, 429, 500, 503])
    assert.equal((await failing(`demo-error-${status}`)).status,
      here(status));
  await failing("demo-cut");
  const { message, status } = await failing("demo-nothing");
  assert.equal(status, 404);
  assert.match(message, /demo-slow/);
});

for (const client of raws)
  test(`${client.name}: streams word by word`, async () => {
    const events = await Array.fromAsync(client.events(session(client),
      ask(client, "demo", { messages: user({ text: "a b c d e f g" }) })));
    const texts = events.map(client.dialect.textOf).filter(Boolean);
    assert.ok(texts.length >= 7, `${texts.length} pieces`);
  });

for (const client of sdks) {
  for (const [name, loop] of Object.entries(client.loops))
    test(`${client.name} ${name}`, async () => {
      const text = await within(loop(session(client),
        ask(client, "demo", { tools: [weatherTool] }),
        ({ args }) => `fog in ${typeof args.city}`), name);
      // It knows which tool said it: the history was there.
      assert.match(text, /get_weather\b.*fog in string/);
    });

  test(`${client.name}: models.list()`, async () => {
    assert.ok((await client.models(session(client))).includes("demo"));
  });

  test(`${client.name}: the demo's faults are errors`, async () => {
    const { RateLimitError, InternalServerError, APIError } = client.errors;
    const rejects = (model, Class, mode = "create") => assert.rejects(
      client.modes[mode](session(client), ask(client, model)), Class);
    await rejects("demo-error-429", RateLimitError);
    await rejects("demo-error-500", InternalServerError);
    await rejects("demo-cut", APIError);
    await rejects("demo-cut", APIError, "stream");
    await rejects("demo-cut", APIError, "helper");
  });
}

const contents =
  '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}';
const converse = '{"messages":[{"role":"user","content":[{"text":"hi"}]}]}';
const messages = '"max_tokens":64,' +
  '"messages":[{"role":"user","content":"hi"}]}';
const invoke = `{"anthropic_version":"bedrock-2023-05-31",${messages}`;
const model = '{"model":"demo",';
const streamed = '{"stream":true,"model":"demo",';
const gemini = "/v1beta/models/demo";

/** As curl sends it: path, body, and what the answer is. */
const plain = [
  ["/v1/chat/completions", model + messages, "json", "{"],
  ["/v1/chat/completions", streamed + messages, "event-stream", "data: {"],
  ["/v1/messages", model + messages, "json", "{"],
  ["/v1/messages", streamed + messages, "event-stream", "event: "],
  ["/v1/responses", `${model}"input":"hi"}`, "json", "{"],
  ["/v1/responses", `${streamed}"input":"hi"}`, "event-stream", "event: "],
  [`${gemini}:generateContent`, contents, "json", "{"],
  [`${gemini}:streamGenerateContent?alt=sse`, contents, "event-stream",
    "data: {"],
  [`${gemini}:streamGenerateContent`, contents, "json", "[{"],
  ["/v1/models/demo:streamGenerateContent?alt=sse", contents, "event-stream",
    "data: {"],
  ["/model/demo/converse", converse, "json", "{"],
  ["/model/demo/converse-stream", converse, "amazon.eventstream", "\0"],
  ["/model/demo/invoke", invoke, "json", "{"],
  ["/model/demo/invoke-with-response-stream", invoke, "amazon.eventstream",
    "\0"],
];

for (const [path, body, type, begin] of plain)
  test(`curl, without any header: ${path} ${begin}`, async () => {
    const response = await fetch(proxy.url + path,
      { method: "POST", body: new Blob([body]) });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    assert.match(response.headers.get("content-type"), new RegExp(type));
    assert.ok(text.startsWith(begin), text);
    // Base64 where Anthropic's events are in Amazon's frames.
    if (!path.includes("invoke-with")) assert.match(text, /said/);
  });

test("a key in the environment adds its backend and models", async () => {
  const upstream = await Upstream.start();
  const names = { "openai-chat": "gpt-5.5", claude: "claude-sonnet-4-5" };
  for (const name of Object.values(names))
    upstream.add((call) => call.turn(turn([{ text: "Here." }])), name);
  const keyed = await Proxy.start({ env: {
    OPENAI_API_KEY: "env-openai", OPENAI_BASE_URL: `${upstream.url}/v1`,
    ANTHROPIC_API_KEY: "env-claude", ANTHROPIC_BASE_URL: upstream.url,
  } });
  try {
    for (const client of raws)
      for (const to of dialects) {
        const name = names[to.name];
        const answer = await client.modes.create(
          client.make({ url: keyed.url }), ask(client, name));
        assert.equal(answer.text, "Here.");
        const call = upstream.of(name).at(-1);
        assert.equal(call.dialect, to);
        assert.equal(to.credential(call.headers),
          `env-${to.name === "claude" ? "claude" : "openai"}`);
      }
    const client = rawOf(dialects[0]);
    const demo = await client.modes.create(
      client.make({ url: keyed.url }), ask(client, "demo"));
    assert.match(demo.text, /Go on\./);
  } finally {
    await keyed.stop();
    await upstream.stop();
  }
  assert.deepEqual(upstream.failures, []);
});

test("without keys, the models of vendors are unknown", async () => {
  for (const { dialect } of raws) {
    const response = await post(dialect, { url: proxy.url },
      ask(rawOf(dialect), "claude-sonnet-4-5"));
    assert.equal(response.status, 404);
    await response.text();
  }
});
