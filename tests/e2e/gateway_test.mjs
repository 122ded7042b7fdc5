// The gateway's own endpoints, its answers to bad requests, and its limits.
import assert from "node:assert/strict";
import { test } from "node:test";

import { others, rawOf, raws, sdks } from "./clients/index.mjs";
import { post } from "./clients/raw.mjs";
import { dialects } from "./dialects/index.mjs";
import { backendsFor, Proxy, until, within } from "./harness.mjs";
import { ask, stage } from "./stage.mjs";
import { turn } from "./upstream.mjs";

const limit = 48 << 20;

const it = stage({
  config: (upstream) => ({
    server: { max_body_bytes: limit },
    models: {
      "fast-one": { backend: "up-openai", model: "script-0" },
      "deep/one": { backend: "up-claude", model: "script-0" },
      "openai-chat/*": { backend: "up-openai", model: "*" },
      "claude/*": { backend: "up-claude", model: "*" },
      exact: "up-openai",
    },
  }),
});

const url = (path) => it.proxy.url + path;
const models = ["deep/one", "exact", "fast-one"];

test("GET /health and /healthz", async () => {
  for (const path of ["/health", "/healthz"]) {
    const response = await fetch(url(path));
    assert.equal(response.status, 200, path);
    assert.ok((await response.text()).length > 0);
  }
});

test("GET /v1/models in the shape of openai-chat", async () => {
  const response = await fetch(url("/v1/models"));
  assert.equal(response.status, 200);
  const { object, data } = await response.json();
  assert.equal(object, "list");
  assert.deepEqual(data.map(({ id }) => id).sort(), models);
  for (const model of data) {
    assert.equal(model.object, "model");
    assert.ok(Number.isInteger(model.created));
    assert.equal(typeof model.owned_by, "string");
  }
});

test("GET /v1/models in the shape of claude", async () => {
  const response = await fetch(url("/v1/models?limit=1000"),
    { headers: { "anthropic-version": "2023-06-01" } });
  assert.equal(response.status, 200);
  const body = await response.json();
  assert.deepEqual(body.data.map(({ id }) => id).sort(), models);
  assert.equal(body.has_more, false);
  assert.equal(body.first_id, body.data[0].id);
  assert.equal(body.last_id, body.data.at(-1).id);
  for (const model of body.data) {
    assert.equal(model.type, "model");
    assert.equal(typeof model.display_name, "string");
    assert.ok(!Number.isNaN(Date.parse(model.created_at)));
  }
});

for (const client of [...sdks, ...others].filter((row) => row.models))
  test(`${client.name}: models.list()`, async () => {
    const ids = await within(client.models(it.session(client)), "models");
    assert.deepEqual(ids.sort(), models);
  });

/** The error of a response, checked to be of the client's dialect. */
async function errorOf(client, response, status) {
  const text = await response.text();
  assert.equal(response.status, status, text.slice(0, 500));
  assert.match(response.headers.get("content-type"), /^application\/json/);
  const body = JSON.parse(text);
  if (client.dialect.name === "claude") {
    assert.equal(body.type, "error");
    assert.equal(typeof body.error.type, "string");
  } else {
    assert.deepEqual(Object.keys(body.error).sort(),
      ["code", "message", "param", "type"]);
  }
  assert.ok(body.error.message.length > 0);
  return body.error;
}

const notFound = {
  "openai-chat": { type: "invalid_request_error", code: "model_not_found" },
  claude: { type: "not_found_error" },
};

for (const client of raws)
  test(`${client.name}: an unknown model is 404`, async () => {
    const response = await post(client.dialect, it.session(client),
      ask(client, "no-such-model"));
    const error = await errorOf(client, response, 404);
    assert.match(error.message, /no-such-model/);
    for (const [key, value] of Object.entries(notFound[client.dialect.name]))
      assert.equal(error[key], value);
  });

/** A model behind another dialect: every mistake is ours to find. */
const across = ({ dialect }) =>
  `${dialects.find((other) => other !== dialect).name}/x`;

const minimal = (client, rest) =>
  JSON.stringify({ ...ask(client, across(client)), ...rest });

/** A text with one member of the minimal body taken out. */
const without = (member) => (client) =>
  minimal(client, { [member]: undefined });

/** A schema this deep, give or take the object around it. */
function nested(levels) {
  let schema = { type: "string" };
  for (let level = 0; level < levels; level += 1)
    schema = { type: "array", items: schema };
  return { type: "object", properties: { deep: schema } };
}

// Bad bodies and what the message must name.
const bad = {
  "no JSON": [() => "this is not JSON", /JSON/i],
  "nothing": [() => "", /JSON|empty/i],
  "truncated JSON": [(client) => minimal(client).slice(0, -7), /JSON/i],
  "text after the document": [(client) => `${minimal(client)} {}`, /JSON/i],
  "an array": [() => "[1,2]", /object/i],
  "no model": [without("model"), /model/],
  "a model that is a number":
    [(client) => minimal(client, { model: 7 }), /model/],
  "no messages": [without("messages"), /messages/],
  "messages that are a string":
    [(client) => minimal(client, { messages: "hi" }), /messages/],
  "empty messages": [(client) => minimal(client, { messages: [] }),
    /messages/],
  "an unknown role": [(client) => minimal(client,
    { messages: [{ role: "wizard", content: "hi" }] }), /role|wizard/],
  "a message that is null":
    [(client) => minimal(client, { messages: [null] }), /messages/],
  "an unknown kind of part": [(client) => minimal(client,
    { messages: [{ role: "user", content: [{ type: "smell" }] }] }),
  /smell|content|messages/],
  "invalid UTF-8": [(client) => {
    const bytes = Buffer.from(minimal(client));
    bytes[bytes.indexOf("Go on.")] = 0xff;
    return bytes;
  }, /UTF-8|JSON/i],
  "80 levels of nesting": [(client) => JSON.stringify(ask(client,
    across(client), { tools: [{ name: "f", schema: nested(80) }] })),
  /nest|level|deep/i],
  "a hundred thousand brackets": [() => "[".repeat(100_000), /./],
};

/** Checks that the process still serves. */
const alive = async () =>
  assert.equal((await fetch(url("/health"))).status, 200);

for (const client of raws)
  for (const [name, [body, message]] of Object.entries(bad))
    test(`${client.name}: ${name} is 400`, async () => {
      const response =
        await post(client.dialect, it.session(client), body(client));
      const error = await errorOf(client, response, 400);
      assert.match(`${error.param ?? ""} ${error.message}`, message);
      await alive();
    });

test("fetch claude: no max_tokens is 400 across dialects", async () => {
  const client = raws.find(({ dialect }) => dialect.name === "claude");
  const { max_tokens: _, ...body } = ask(client, "openai-chat/x");
  const error = await errorOf(client,
    await post(client.dialect, it.session(client), body), 400);
  assert.match(error.message, /max_tokens/);
});

test("fetch openai-chat: n > 1 is refused clearly", async () => {
  const client = rawOf(dialects[0]);
  const error = await errorOf(client, await post(client.dialect,
    it.session(client), { ...ask(client, "claude/x"), n: 2 }), 400);
  assert.match(error.message, /\bn\b/);
});

for (const client of raws)
  for (const to of dialects) {
    test(`${client.name} -> ${to.name}: a body of 32 MB`,
      { timeout: 120_000 }, async () => {
        const text = "0123456789abcde ".repeat(2 << 20);
        const { model, alias } = it.script(to, (call) =>
          call.turn(turn([{ text: "Long." }])));
        const answer = await client.modes.create(it.session(client),
          ask(client, alias,
            { messages: [{ role: "user", parts: [{ text }] }] }));
        assert.equal(answer.text, "Long.");
        const [part] = it.upstream.of(model)[0].view.messages[0].parts;
        assert.ok(part.text === text, "the text changed on the way");
      });

    test(`${client.name} -> ${to.name}: 50 levels of nesting`, async () => {
      const schema = nested(50);
      const { model, alias } = it.script(to, (call) =>
        call.turn(turn([{ text: "Deep." }])));
      const answer = await client.modes.create(it.session(client),
        ask(client, alias, { tools: [{ name: "f", schema }] }));
      assert.equal(answer.text, "Deep.");
      assert.deepEqual(
        it.upstream.of(model)[0].view.tools[0].schema, schema);
    });
  }

for (const client of raws)
  for (const chunked of [false, true])
    test(`${client.name}: a body over the limit is 413` +
      (chunked ? ", chunked" : ""), { timeout: 120_000 }, async () => {
      const bytes = Buffer.alloc(limit + 1, 0x20);
      const body = chunked ? new Blob([bytes]).stream() : bytes;
      const response = await fetch(
        url(client.dialect.basePath + client.dialect.path), {
          method: "POST", body, duplex: "half",
          headers: { "content-type": "application/json" },
        });
      const error = await errorOf(client, response, 413);
      if (client.dialect.name === "claude")
        assert.equal(error.type, "request_too_large");
      await alive();
    });

test("an unknown path is 404, a wrong method 404 or 405, with JSON",
  async () => {
    const unknown = await fetch(url("/v1/nothing"), { method: "POST" });
    assert.equal(unknown.status, 404);
    assert.ok((await unknown.json()).error);
    const wrong = await fetch(url("/v1/messages"));
    assert.ok([404, 405].includes(wrong.status));
    assert.ok((await wrong.json()).error);
  });

test("a query after the path does not matter", async () => {
  const client = rawOf(dialects[1]);
  const { alias } = it.script(dialects[1], (call) =>
    call.turn(turn([{ text: "Beta." }])));
  const response = await fetch(url("/v1/messages?beta=true"), {
    method: "POST", body: JSON.stringify(ask(client, alias)),
  });
  assert.equal(client.dialect.read(await response.json()).text, "Beta.");
});

test("a path of 9,000 characters is refused and kills nothing", async () => {
  const response = await fetch(url(`/v1/${"x".repeat(9_000)}`));
  assert.ok(response.status >= 400 && response.status < 500);
  await response.text();
  await alive();
});

test("a megabyte of headers is refused and kills nothing", async () => {
  const headers = Object.fromEntries([...Array(64).keys()].map(
    (number) => [`x-filler-${number}`, "y".repeat(16_000)]));
  // Refused with a status, or by closing while we still send.
  await fetch(url("/health"), { headers }).then(
    (response) => assert.ok(response.status >= 400),
    (error) => assert.ok(error instanceof TypeError));
  await alive();
});

test("client keys: asked for in both headers, by both dialects",
  async () => {
    const proxy = await Proxy.start({
      config: { server: { client_keys: ["key-one", "key-two"] } },
    });
    try {
      for (const client of raws) {
        const send = (headers) => post(client.dialect,
          { url: proxy.url, key: null, headers }, ask(client, "demo"));
        for (const headers of [{}, { authorization: "Bearer nope" },
          { "x-api-key": "key-on" }, { authorization: "Bearer " }])
          await errorOf(client, await send(headers), 401);
        for (const headers of [{ authorization: "Bearer key-one" },
          { "x-api-key": "key-two" }])
          assert.equal((await send(headers)).status, 200);
      }
      assert.equal((await fetch(`${proxy.url}/health`)).status, 200);
      assert.equal((await fetch(`${proxy.url}/v1/models`)).status, 401);
    } finally {
      await proxy.stop();
    }
  });

test("strict: what cannot be translated exactly is 400", async () => {
  const proxy = await Proxy.start({
    config: { ...backendsFor(it.upstream), translate: { strict: true } },
  });
  try {
    const client = rawOf(dialects[0]);
    const { alias } = it.script(dialects[1], (call) =>
      call.turn(turn([{ text: "Exact." }])));
    const send = (rest) => post(client.dialect, { url: proxy.url },
      { ...ask(client, alias), ...rest });
    assert.equal((await send({})).status, 200);
    const error = await errorOf(client, await send({ seed: 7 }), 400);
    assert.match(`${error.param} ${error.message}`, /seed/);
  } finally {
    await proxy.stop();
  }
});

test("more connections than allowed: 503 with retry-after", async () => {
  const proxy = await Proxy.start({
    config: { ...backendsFor(it.upstream), server: { max_connections: 2 } },
  });
  const client = rawOf(dialects[0]);
  const leave = new AbortController();
  try {
    const busy = [0, 1].map(() => {
      const { model, alias } = it.script(dialects[0], (call) =>
        call.silence());
      post(client.dialect, { url: proxy.url }, ask(client, alias),
        { signal: leave.signal }).catch(() => {});
      return it.upstream.arrival(model);
    });
    await within(Promise.all(busy), "two calls");
    const response = await fetch(`${proxy.url}/health`);
    assert.equal(response.status, 503);
    assert.ok(Number(response.headers.get("retry-after")) > 0);
    await response.text();
    leave.abort();
    await until(async () => (await fetch(`${proxy.url}/health`)).ok,
      "room after two clients left");
  } finally {
    leave.abort();
    await proxy.stop();
  }
});
