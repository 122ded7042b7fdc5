// The access log: one line a request with the fields operators need, and
// never a key or a word of what was said.
import assert from "node:assert/strict";
import { test } from "node:test";

import { raws } from "./clients/index.mjs";
import { post } from "./clients/raw.mjs";
import { dialects } from "./dialects/index.mjs";
import { backendsFor, Proxy } from "./harness.mjs";
import { ask, stage } from "./stage.mjs";
import { turn } from "./upstream.mjs";

const canary = "CANARY-91be";
const clientKey = `${canary}-client`;
const upstreamKey = `${canary}-upstream`;

const it = stage({
  config: (upstream) => ({
    server: { client_keys: [clientKey] },
    log: { format: "json", level: "debug" },
    backends: {
      ...backendsFor(upstream).backends,
      "up-openai": {
        provider: "openai", base_url: `${upstream.url}/v1`,
        api_key: upstreamKey,
      },
      "up-claude": {
        provider: "anthropic", base_url: upstream.url, api_key: upstreamKey,
      },
    },
  }),
});

const backends = { "openai-chat": "up-openai", claude: "up-claude" };

/** A conversation in which every word is the canary. */
const secretive = (client, alias, stream) => ask(client, alias, {
  stream, system: `system ${canary}`, usage: true,
  messages: [{ role: "user", parts: [{ text: `user ${canary}` }] }],
});

async function entryOf(alias) {
  return it.proxy.logged(({ model }) => model === alias);
}

const isCount = (value) => Number.isInteger(value) && value >= 0;

for (const client of raws)
  for (const to of dialects)
    for (const stream of [false, true])
      test(`${client.name} -> ${to.name}${stream ? " stream" : ""}: ` +
        "one line with every field", async () => {
        const { model, alias } = it.script(to, (call) =>
          call.turn(turn([{ text: `answer ${canary}` }])));
        const response = await post(client.dialect,
          it.session(client, { key: clientKey }),
          secretive(client, alias, stream));
        assert.equal(response.status, 200);
        assert.ok((await response.text()).includes(canary));
        const entry = await entryOf(alias);
        const path = client.dialect.basePath + client.dialect.path;
        assert.equal(entry.method, "POST");
        assert.equal(entry.path, path);
        assert.equal(entry.upstream_model, model);
        assert.equal(entry.backend, backends[to.name]);
        assert.equal(entry.status, 200);
        assert.equal(entry.outcome, "ok");
        assert.equal(entry.stream, stream);
        assert.equal(entry.input_tokens, 20);
        assert.equal(entry.output_tokens, 7);
        assert.ok(entry.ttfb_ms >= 0);
        assert.ok(entry.total_ms >= entry.ttfb_ms);
        assert.equal(it.proxy.log
          .filter(({ model: m }) => m === alias).length, 1);
      });

for (const client of raws)
  for (const to of dialects)
    test(`${client.name} -> ${to.name}: a failure is logged as one`,
      async () => {
        // The upstream quotes the prompt and the key in its message.
        const { alias } = it.script(to, (call) => call.error("invalid",
          `bad: "user ${canary}" with key ${to.credential(call.headers)}`));
        const response = await post(client.dialect,
          it.session(client, { key: clientKey }),
          secretive(client, alias, false));
        assert.equal(response.status, 400);
        assert.ok(!(await response.text()).includes(upstreamKey),
          "the upstream's key reached a client");
        const entry = await entryOf(alias);
        assert.equal(entry.status, 400);
        assert.equal(entry.outcome, "invalid_request");
        assert.ok(isCount(entry.losses ?? 0));
      });

test("a refused client is logged, its key is not", async () => {
  const [{ dialect }] = raws;
  await post(dialect, { url: it.proxy.url, key: `${canary}-wrong` },
    ask(raws[0], "x"));
  await it.proxy.logged(({ status }) => status === 401);
});

test("no key and no content is in anything it printed", async () => {
  // Also what went wrong while parsing must not be quoted at length.
  for (const { dialect } of raws)
    await post(dialect, { url: it.proxy.url, key: clientKey },
      `{"model":"m","messages":[{"role":"user","content":"${canary}"]}`);
  await it.proxy.logged(({ status }) => status === 400);
  assert.ok(it.proxy.output.length > 1000);
  assert.ok(!it.proxy.output.includes(canary),
    it.proxy.output.split("\n").find((line) => line.includes(canary)));
});

test("the text format is one line a request, too", async () => {
  const proxy = await Proxy.start({ config: { log: { format: "text" } } });
  try {
    const [client] = raws;
    await post(client.dialect, { url: proxy.url }, ask(client, "demo"));
  } finally {
    await proxy.stop();
  }
  const lines = proxy.text.stderr.split("\n")
    .filter((line) => line.includes("/v1/chat/completions"));
  assert.equal(lines.length, 1);
  for (const word of ["POST", "demo", "200"])
    assert.ok(lines[0].includes(word), lines[0]);
});
