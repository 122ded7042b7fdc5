// The same dialect on both sides: every byte but the model's arrives as it
// was sent, known or not. And what crosses a translation besides the body:
// credentials never, losses as a header.
import assert from "node:assert/strict";
import { test } from "node:test";

import { rawOf, raws, sdks } from "./clients/index.mjs";
import { post } from "./clients/raw.mjs";
import { dialects } from "./dialects/index.mjs";
import { ask, stage } from "./stage.mjs";
import { turn } from "./upstream.mjs";

const it = stage();

// Spacing, key order, escapes, big numbers, unknown fields, other "model"s.
const oddBody = (model) => `\r\n{ "future_field" : {"model":"not this"},
  "messages":[{"content":"caf\\u00e9 \u00e9 \\/ \\ud83d\\ude00","role":"user",
    "x":1.0}],
\t"max_tokens": 1e2, "seed":2512292042121000001,"metadata":{"model":"nor" },
  "model" : "${model}" ,"temperature":0.10, "tools":[{"model":null}]  }\n\n`;

for (const client of raws) {
  const { dialect } = client;

  test(`${client.name}: the request keeps its bytes`, async () => {
    const { model, alias } = it.script(dialect, (call) =>
      call.whole(200, call.dialect.answer(
        turn([{ text: "Kept." }]), { id: "1", model: "m" })));
    const response =
      await post(dialect, it.session(client), oddBody(alias));
    assert.equal(response.status, 200, await response.text());
    assert.equal(it.upstream.of(model)[0].body.toString(), oddBody(model));
  });

  test(`${client.name}: the model may stand first or last`, async () => {
    const { model, alias } = it.script(dialect, (call) =>
      call.turn(turn([{ text: "Kept." }])));
    const { model: _, ...rest } = ask(client, alias);
    const filler = { filler: "f".repeat(200_000) };
    for (const body of [{ model: alias, ...filler, ...rest },
      { ...filler, ...rest, model: alias }])
      await post(dialect, it.session(client), body);
    const sent = it.upstream.of(model).map(({ json }) => Object.keys(json));
    assert.equal(sent[0][0], "model");
    assert.equal(sent[1].at(-1), "model");
  });

  test(`${client.name}: the response keeps its bytes`, async () => {
    const text = `{ "odd" : 1.0,\n ${JSON.stringify(dialect.answer(
      turn([{ text: "Kept é." }]), { id: "1", model: "served-model" }))
      .slice(1)}\n`;
    const { alias } = it.script(dialect, (call) => call.raw(200,
      { "content-type": "application/json" }, text));
    const response =
      await post(dialect, it.session(client), ask(client, alias));
    assert.equal(await response.text(), text);
  });

  test(`${client.name}: a stream keeps its bytes`, async () => {
    const events = dialect.events(turn([{ text: "Kept é 😀." },
      { call: { id: "call_1", name: "f", args: { a: 1 } } }]),
    { id: "1", model: "served-model", usage: true }).map(({ bytes }) => bytes);
    // Comments and padding, as real servers send them.
    events.splice(2, 0, ": one moment\n\n");
    events[3] = events[3].replace(/}\n\n$/, "   }\n\n");
    const { alias } = it.script(dialect, (call) =>
      call.stream(events.map((bytes) => ({ bytes }))));
    const response = await post(dialect, it.session(client),
      ask(client, alias, { stream: true }));
    assert.match(response.headers.get("content-type"), /^text\/event-stream/);
    assert.equal(await response.text(), events.join(""));
  });
}

// What SDKs read of an error beyond what all dialects share.
const extras = {
  "openai-chat": { misalignment: { error_type: "x" } },
  claude: { details: { error_code: "thread_not_found" } },
};

for (const client of raws)
  test(`${client.name}: an error keeps what its dialect adds`, async () => {
    const { dialect } = client;
    const { status, body } = dialect.error("not_found", "Gone.");
    Object.assign(body.error, extras[dialect.name]);
    const { alias } = it.script(dialect, (call) => call.whole(status, body));
    const response =
      await post(dialect, it.session(client), ask(client, alias));
    assert.equal(response.status, status);
    assert.deepEqual(await response.json(), body);
  });

const canary = "CANARY-7f3a";

for (const client of raws)
  for (const to of dialects)
    for (const stream of [false, true])
      test(`${client.name} -> ${to.name}${stream ? " stream" : ""}: ` +
        "credentials do not cross", async () => {
        const { model, alias } = it.script(to, (call) =>
          call.turn(turn([{ text: "Safe." }])));
        const response = await post(client.dialect,
          it.session(client, {
            key: `${canary}-bearer`,
            headers: {
              "x-api-key": `${canary}-header`, cookie: `id=${canary}`,
              "proxy-authorization": `Basic ${canary}`,
              "x-goog-api-key": canary, "api-key": canary,
            },
          }), ask(client, alias, { stream }));
        assert.equal(response.status, 200);
        await response.text();
        const [call] = it.upstream.of(model);
        assert.ok(!JSON.stringify(call.headers).includes(canary),
          JSON.stringify(call.headers));
        assert.ok(!call.body.includes(canary));
        assert.equal(to.credential(call.headers),
          `upstream-${to.name === "claude" ? "claude" : "openai"}-key`);
        // One credential, in one header.
        assert.equal(["authorization", "x-api-key"]
          .filter((header) => header in call.headers).length, 1);
        assert.equal(call.headers.host, new URL(it.upstream.url).host);
      });

test("a claude upstream gets the client's version and betas", async () => {
  const claude = dialects.find(({ name }) => name === "claude");
  const client = rawOf(claude);
  const { model, alias } = it.script(claude, (call) =>
    call.turn(turn([{ text: "Beta." }])));
  await post(claude, it.session(client, { headers: {
    "anthropic-version": "2026-10-21", "anthropic-beta": "one-1,two-2",
  } }), ask(client, alias));
  const [{ headers }] = it.upstream.of(model);
  assert.equal(headers["anthropic-version"], "2026-10-21");
  assert.equal(headers["anthropic-beta"], "one-1,two-2");
});

test("another dialect's upstream gets none of them", async () => {
  const [openai, claude] = dialects;
  const client = rawOf(claude);
  const { model, alias } = it.script(openai, (call) =>
    call.turn(turn([{ text: "No beta." }])));
  await post(claude, it.session(client, { headers: {
    "anthropic-version": "2026-10-21", "anthropic-beta": "one-1,two-2",
  } }), ask(client, alias));
  const [{ headers }] = it.upstream.of(model);
  assert.deepEqual(Object.keys(headers)
    .filter((name) => name.startsWith("anthropic")), []);
});

test("what a translation loses is told in a header", async () => {
  const [openai, claude] = dialects;
  const client = rawOf(openai);
  const { alias } = it.script(claude, (call) =>
    call.turn(turn([{ text: "Lossy." }])));
  const send = (rest) => post(openai, it.session(client),
    { ...ask(client, alias), ...rest });
  const lossy = await send({ seed: 7 });
  assert.equal(lossy.status, 200);
  assert.match(lossy.headers.get("x-llmproxy-loss"), /seed/);
  const exact = await send({});
  assert.equal(exact.status, 200);
  assert.equal(exact.headers.get("x-llmproxy-loss"), null);
});

for (const client of sdks)
  test(`${client.name}: the request id of an answer is known to the SDK`,
    async () => {
      const { alias } = it.script(client.dialect, (call) =>
        call.turn(turn([{ text: "Named." }])));
      const session = it.session(client);
      const body = ask(client, alias);
      const message = client.dialect.name === "claude"
        ? await session.messages.create(body)
        : await session.chat.completions.create(body);
      assert.ok(message._request_id, "no request id");
    });
