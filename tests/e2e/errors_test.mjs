// What an upstream can do wrong, and what each client must see of it: the
// SDK's error class, the status, the error's own words, retry hints.
import assert from "node:assert/strict";
import { test } from "node:test";

import { raws, sdks } from "./clients/index.mjs";
import { post } from "./clients/raw.mjs";
import { dialects } from "./dialects/index.mjs";
import { nowhere, within } from "./harness.mjs";
import { ask, stage } from "./stage.mjs";
import { turn } from "./upstream.mjs";

const it = stage({
  config: (upstream) => ({
    backends: {
      "up-openai": {
        provider: "openai", base_url: `${upstream.url}/v1`,
        api_key: "upstream-openai-key", deadlines: { first_byte: 300 },
      },
      "up-claude": {
        provider: "anthropic", base_url: upstream.url,
        api_key: "upstream-claude-key", deadlines: { first_byte: 300 },
      },
      "quick-openai": {
        provider: "openai", base_url: `${upstream.url}/v1`,
        api_key: "upstream-openai-key",
        deadlines: { first_byte: 0.5, idle: 1.5 },
      },
      "quick-claude": {
        provider: "anthropic", base_url: upstream.url,
        api_key: "upstream-claude-key",
        deadlines: { first_byte: 0.5, idle: 1.5 },
      },
      "gone-openai": {
        provider: "openai", base_url: `${nowhere}/v1`, api_key: "k",
      },
      "gone-claude": {
        provider: "anthropic", base_url: nowhere, api_key: "k",
      },
    },
    models: {
      "openai-chat/*": { backend: "up-openai", model: "*" },
      "claude/*": { backend: "up-claude", model: "*" },
      "quick/openai-chat/*": { backend: "quick-openai", model: "*" },
      "quick/claude/*": { backend: "quick-claude", model: "*" },
      "gone/openai-chat/*": { backend: "gone-openai", model: "*" },
      "gone/claude/*": { backend: "gone-claude", model: "*" },
    },
  }),
});

const html = "<!doctype html><html><head><title>502 Bad Gateway</title>" +
  "</head><body><h1>Bad Gateway</h1>nginx</body></html>";
const json = { "content-type": "application/json" };

const tells = (kind, message) => (call) => call.error(kind, message);

// Rows: what the upstream does; then per client dialect the status, the
// SDK's error class and the `type` in the envelope. `message`: what the
// client must be able to read. `stream`: only for streams, or never. `calls`:
// how often the upstream may be asked, if not once.
const rows = [
  {
    name: "429", script: tells("rate_limited", "Slow down, please."),
    message: /Slow down, please\./,
    "openai-chat": [429, "RateLimitError"],
    claude: [429, "RateLimitError", "rate_limit_error"],
  },
  {
    name: "500", script: tells("failed", "The dog ate it."),
    message: /The dog ate it\./,
    "openai-chat": [500, "InternalServerError"],
    claude: [500, "InternalServerError", "api_error"],
  },
  {
    name: "401", script: tells("unauthenticated", "Who are you?"),
    message: /Who are you\?/,
    "openai-chat": [401, "AuthenticationError"],
    claude: [401, "AuthenticationError", "authentication_error"],
  },
  {
    name: "403", script: tells("forbidden", "Not for you."),
    message: /Not for you\./,
    "openai-chat": [403, "PermissionDeniedError"],
    claude: [403, "PermissionDeniedError", "permission_error"],
  },
  {
    name: "404", script: tells("not_found", "No such model here."),
    message: /No such model here\./,
    "openai-chat": [404, "NotFoundError"],
    claude: [404, "NotFoundError", "not_found_error"],
  },
  {
    name: "400", script: tells("invalid", "temperature: too hot"),
    message: /temperature: too hot/,
    "openai-chat": [400, "BadRequestError"],
    claude: [400, "BadRequestError", "invalid_request_error"],
  },
  {
    // The words agents look for before they shorten the conversation.
    name: "400, prompt too long",
    script: (call) => call.error("context", call.dialect.name === "claude"
      ? "prompt is too long: 210000 tokens > 200000 maximum"
      : "This model's maximum context length is 128000 tokens."),
    message: { claude: /prompt is too long/, "openai-chat": /too long|maxim/ },
    "openai-chat": [400, "BadRequestError"],
    claude: [400, "BadRequestError", "invalid_request_error"],
  },
  {
    name: "an HTML page with 502",
    script: (call) => call.raw(502, { "content-type": "text/html" }, html),
    message: /502|Bad Gateway/,
    "openai-chat": [502, "InternalServerError"],
    claude: [502, "InternalServerError", "api_error"],
  },
  {
    name: "an empty 503", script: (call) => call.raw(503, {}, ""),
    message: /./,
    "openai-chat": [503, "InternalServerError"],
    claude: [[503, 529], "InternalServerError", "overloaded_error"],
  },
  {
    name: "invalid JSON with 200", stream: false,
    script: (call) => call.raw(200, json, '{"id":"x","choices":[{"ind'),
    message: /./,
    "openai-chat": [502, "InternalServerError"],
    claude: [502, "InternalServerError", "api_error"],
  },
  {
    name: "JSON of another shape with 200", stream: false,
    script: (call) => call.raw(200, json, '{"hello":["world"]}'),
    message: /./, across: true,
    "openai-chat": [502, "InternalServerError"],
    claude: [502, "InternalServerError", "api_error"],
  },
  {
    name: "a body cut off", stream: false,
    script: async (call) => {
      call.response.writeHead(200, { ...json, "content-length": "1000" });
      await call.write('{"id":"x",');
      call.response.destroy();
    },
    message: /./,
    "openai-chat": [502, "InternalServerError"],
    claude: [502, "InternalServerError", "api_error"],
  },
  {
    // How often it is sent: see the test below.
    name: "the connection closed before the head", calls: [1, 2],
    script: (call) => call.response.destroy(),
    message: /./,
    "openai-chat": [502, "InternalServerError"],
    claude: [502, "InternalServerError", "api_error"],
  },
  {
    // SDKs retry by status alone, so nothing may be committed before.
    name: "an error as the first event of a stream", stream: true,
    script: (call) => call.stream(
      [{ bytes: call.dialect.streamError("overloaded", "Overloaded") }]),
    message: /Overloaded/,
    "openai-chat": [503, "InternalServerError"],
    claude: [[503, 529], "InternalServerError", "overloaded_error"],
  },
  {
    name: "a stream without a single event", stream: true,
    script: (call) => call.stream([]),
    message: /./,
    "openai-chat": [502, "InternalServerError"],
    claude: [502, "InternalServerError", "api_error"],
  },
  {
    name: "no answer in time", prefix: "quick/",
    script: (call) => call.silence(),
    message: /./,
    "openai-chat": [504, "InternalServerError"],
    claude: [504, "InternalServerError"],
  },
  {
    name: "nobody there", prefix: "gone/", calls: [0],
    script: () => {}, message: /./,
    "openai-chat": [502, "InternalServerError"],
    claude: [502, "InternalServerError", "api_error"],
  },
];

/** The rows that mean something for this way of asking. */
const rowsFor = (stream, client, to) => rows.filter((row) =>
  (row.stream ?? stream) === stream &&
  !(row.across && client.dialect.name === to.name));

const wanted = (row, client) => {
  const [status, error, type] = row[client.dialect.name];
  const message = row.message[client.dialect.name] ?? row.message;
  return { statuses: [status].flat(), error, type, message };
};

for (const client of sdks)
  for (const mode of Object.keys(client.modes))
    for (const to of dialects)
      for (const row of rowsFor(mode !== "create", client, to))
        test(`${client.name} ${mode} -> ${to.name}: ${row.name}`,
          async () => {
            const { model, alias } = it.script(to, row.script);
            const want = wanted(row, client);
            await within(assert.rejects(
              client.modes[mode](it.session(client),
                ask(client, (row.prefix ?? "") + alias)),
              (error) => {
                assert.ok(error instanceof client.errors[want.error],
                  `${error.constructor.name}: ${error.message}`);
                assert.ok(want.statuses.includes(error.status), error);
                assert.match(error.message, want.message);
                return true;
              }), row.name);
            const { length } = it.upstream.of(model);
            assert.ok((row.calls ?? [1]).includes(length), `${length} calls`);
          });

/** An envelope of the client's dialect, and nothing else. */
function checkEnvelope(client, { body, text }, { type, message }) {
  assert.ok(body, `not JSON: ${text}`);
  const envelope = client.dialect.name === "claude";
  assert.equal(body.type, envelope ? "error" : undefined);
  assert.match(body.error.message, message);
  assert.doesNotMatch(body.error.message, /<html|<h1/);
  if (type) assert.equal(body.error.type, type);
  else assert.equal(typeof body.error.type, "string");
  if (!envelope)
    assert.deepEqual(Object.keys(body.error).sort(),
      ["code", "message", "param", "type"]);
}

for (const client of raws)
  for (const stream of [false, true])
    for (const to of dialects)
      for (const row of rowsFor(stream, client, to))
        test(`${client.name}${stream ? " stream" : ""} -> ${to.name}: ` +
          `${row.name}`, async () => {
          const { alias } = it.script(to, row.script);
          const response = await within(post(client.dialect,
            it.session(client),
            ask(client, (row.prefix ?? "") + alias, { stream })), row.name);
          const want = wanted(row, client);
          const text = await response.text();
          assert.ok(want.statuses.includes(response.status),
            `${response.status}: ${text}`);
          assert.match(response.headers.get("content-type"),
            /^application\/json/);
          checkEnvelope(client, { body: JSON.parse(text), text }, want);
        });

const hints = { "retry-after": "1", "retry-after-ms": "1000" };

for (const client of sdks)
  for (const to of dialects)
    for (const [header, value] of Object.entries(hints))
      test(`${client.name} -> ${to.name}: waits for ${header}`, async () => {
        const { model, alias } = it.script(to, (call) => call.round === 0
          ? call.error("rate_limited", "Wait.", { [header]: value })
          : call.turn(turn([{ text: "Now." }])));
        const answer = await within(client.modes.create(
          it.session(client, { retries: 1 }), ask(client, alias)), "retry");
        assert.equal(answer.text, "Now.");
        const [first, second] = it.upstream.of(model);
        // Its own first backoff is at most half a second.
        assert.ok(second.startedAt - first.startedAt > 900);
      });

for (const client of sdks)
  for (const to of dialects)
    test(`${client.name} -> ${to.name}: x-should-retry reaches the SDK`,
      async () => {
        const { model, alias } = it.script(to,
          (call) => call.error("failed", "No.", { "x-should-retry": "false" }));
        await within(assert.rejects(client.modes.create(
          it.session(client, { retries: 2 }), ask(client, alias))), "no");
        assert.equal(it.upstream.of(model).length, 1);
      });

// A kept connection may be closed just when it is used again. But what the
// upstream has read may have been done, and paid for: RFC 9110, 9.2.2.
for (const client of raws)
  for (const to of dialects)
    for (const stream of [false, true])
      test(`${client.name}${stream ? " stream" : ""} -> ${to.name}: a call ` +
        "that a kept connection drops is not sent twice", async () => {
        const { model, alias } = it.script(to, (call) => call.round === 0
          ? call.turn(turn([{ text: "Kept." }])) : call.response.destroy());
        const send = async () => {
          const response = await post(client.dialect, it.session(client),
            ask(client, alias, { stream }));
          await response.text();
          return response.status;
        };
        assert.equal(await send(), 200);
        assert.equal(await send(), 502);
        assert.equal(it.upstream.of(model).length, 2);
      });

for (const client of raws)
  for (const to of dialects)
    for (const mode of ["create", "stream"])
      test(`${client.name} ${mode} -> ${to.name}: a kept connection closed ` +
        "meanwhile is replaced", async () => {
        const { model, alias } = it.script(to, async (call) => {
          const { socket } = call.response;
          await call.turn(turn([{ text: "Kept." }]));
          if (call.round < 2) socket.end();
        });
        for (let round = 0; round < 3; round += 1) {
          const answer = await client.modes[mode](
            it.session(client), ask(client, alias));
          assert.equal(answer.text, "Kept.");
          await within(it.upstream.of(model)[round].closed, "the end");
        }
        assert.equal(it.upstream.of(model).length, 3);
      });

for (const client of raws)
  for (const to of dialects)
    test(`${client.name} -> ${to.name}: a silence in mid-stream is an error`,
      async () => {
        const { alias } = it.script(to, (call) => call.turn(
          turn([{ text: "one two" }]),
          { until: ({ text }) => text === "two", end: "silence" }));
        const events = await within(Array.fromAsync(client.events(
          it.session(client), ask(client, `quick/${alias}`))), "the end");
        assert.throws(() => client.dialect.readEvents(events),
          (error) => Boolean(error.body));
        assert.ok(events.some((event) =>
          client.dialect.textOf(event)?.includes("one")));
      });
