// A proxy with the whole API of each provider below a prefix of its name.
import assert from "node:assert/strict";
import { describe } from "node:test";

import { noCurl, placed, systemStage, withProxy } from "./stage.mjs";
import { notOurs, row } from "./table.mjs";

const name = "prefix";
const vendors = ["openai", "anthropic", "gemini", "groq"];
const bases = (at) => Object.fromEntries(vendors.map((vendor) =>
  [`${vendor.toUpperCase()}_BASE_URL`, at[vendor].url]));
const chat = {
  model: "m", messages: [{ role: "user", content: "Hello!" }],
};

describe(name, () => {
  const it = systemStage(name, {
    host: "localhost:9002", vendors, start: (at) => ({ env: bases(at) }),
  });

  /** One of the commands of the block, by its comment. */
  const request = (comment) => it.block("requests.sh").split("\n\n")
    .find((text) => text.startsWith(`# ${comment}`));

  row(name, "health check", async () => {
    const out = await it.curl("", { text: request("Health check") });
    if (out === undefined) return noCurl;
    const { status, providers } = JSON.parse(out);
    assert.equal(status, "ok");
    for (const vendor of vendors) assert.ok(providers[vendor], vendor);
    return undefined;
  });

  for (const [comment, vendor, path, header, value] of [
    ["OpenAI Chat completions", "openai", "/v1/chat/completions",
      "authorization", "Bearer YOUR_API_KEY"],
    ["OpenAI Streaming", "openai", "/v1/chat/completions",
      "authorization", "Bearer YOUR_API_KEY"],
    ["Anthropic Messages", "anthropic", "/v1/messages",
      "x-api-key", "YOUR_API_KEY"],
    ["Gemini Generate Content", "gemini",
      "/v1/models/gemini-pro:generateContent?key=YOUR_API_KEY"],
  ])
    row(name, comment, async () => {
      const text = request(comment);
      const out = await it.curl("", { text });
      if (out === undefined) return noCurl;
      const call = it.at[vendor].only();
      assert.equal(out, call.sent);
      assert.equal(call.path, path);
      assert.equal(call.body.toString(), /-d '([^']*)'/.exec(text)[1]);
      if (header) assert.equal(call.headers[header], value);
      if (vendor === "anthropic")
        assert.equal(call.headers["anthropic-version"], "2023-06-01");
      return undefined;
    });

  row(name, "keys of the environment", () => withProxy({
    shell: `${it.text("keys.sh")}exec llm-proxy`, env: bases(it.at),
  }, async (proxy) => {
    for (const [vendor, path, header] of [
      ["openai", "/v1/chat/completions", "authorization"],
      ["anthropic", "/v1/messages", "x-api-key"]]) {
      const ask = (headers) =>
        it.send(`/${vendor}${path}`, chat, headers, proxy);
      for (const [headers, key] of [[{}, `your_${vendor}_key`],
        [{ [header]: "Bearer own" }, "own"]]) {
        assert.equal((await ask(headers)).status, 200);
        const sent = it.at[vendor].only().headers[header];
        assert.equal(sent.replace("Bearer ", ""), key);
      }
    }
  }));

  row(name, "every other endpoint of a provider", async () => {
    for (const [method, path, vendor, url] of [
      ["POST", "/openai/v1/completions", "openai", "/v1/completions"],
      ["GET", "/openai/v1/models?limit=2", "openai", "/v1/models?limit=2"],
      ["DELETE", "/openai/v1/files/f", "openai", "/v1/files/f"],
      ["GET", "/anthropic/v1/models", "anthropic", "/v1/models"],
      ["GET", "/gemini/v1/models", "gemini", "/v1/models"],
      ["POST", "/gemini/v1/models/m:streamGenerateContent?alt=sse", "gemini",
        "/v1/models/m:streamGenerateContent?alt=sse"],
      ["POST", "/groq/v1/chat/completions", "groq",
        "/openai/v1/chat/completions"],
      ["POST", "/groq/v1/completions", "groq", "/openai/v1/completions"],
      ["POST", "/groq/v1/responses", "groq", "/openai/v1/responses"],
    ]) {
      const body = method === "POST" ? JSON.stringify(path.includes("/models/")
        ? { contents: [{ parts: [{ text: "Hello!" }] }] }
        : { ...chat, input: "Hello!" }) : undefined;
      const response = await fetch(it.proxy.url + path, {
        method, body, headers: { authorization: "Bearer own-key" },
      });
      const text = await response.text();
      const call = it.at[vendor].only();
      assert.equal(response.status, 200, path);
      assert.equal(text, call.sent);
      assert.equal(call.method, method);
      assert.equal(call.path, url);
      assert.equal(call.headers.authorization, "Bearer own-key");
    }
  });

  row(name, "errors of a provider as they are", async () => {
    const body = '{ "error" : {"message":"Slow down."} }';
    const model = it.at.openai.add((call) => call.raw(429,
      { "content-type": "application/json", "retry-after": "7" }, body));
    const response =
      await it.send("/openai/v1/chat/completions", { ...chat, model });
    assert.equal(response.status, 429);
    assert.equal(response.headers.get("retry-after"), "7");
    assert.equal(await response.text(), body);
    it.at.openai.taken();
  });

  const withFile = (text, use) => withProxy({
    files: { "config.yaml": text },
    env: { ...bases(it.at), LLM_PROXY_CONFIG: "config.yaml" },
  }, use);

  row(name, "rate limiting: the block as it is limits nothing", () =>
    withFile(it.text("rate_limiting.yaml"), async (proxy) => {
      for (let i = 0; i < 5; i += 1) {
        const response = await it.send("/openai/v1/chat/completions",
          chat, { authorization: "Bearer k" }, proxy);
        assert.equal(response.status, 200);
        await response.text();
      }
      assert.equal(it.at.openai.taken().length, 5);
    }));

  for (const limit of ["requests", "tokens"])
    row(name, `rate limiting: ${limit}_per_minute: 1`, () => withFile(
      placed(it.text("rate_limiting.yaml"),
        { [`${limit}_per_minute: 0`]: `${limit}_per_minute: 1` }),
      async (proxy) => {
        const ask = () => it.send("/openai/v1/chat/completions", chat,
          { authorization: "Bearer k" }, proxy);
        // The first that spends tokens is let through, whatever it spends.
        assert.equal((await ask()).status, 200);
        const response = await ask();
        assert.equal(response.status, 429);
        assert.ok((await response.json()).error.message);
        assert.ok(Number(response.headers.get("retry-after")) > 0);
        assert.equal(response.headers.get("x-ratelimit-limit"), "1");
        assert.equal(response.headers.get("x-ratelimit-remaining"), "0");
        assert.equal(it.at.openai.taken().length, 1);
      }));

  row(name, "CORS", () => withFile(
    'server: {cors: {origins: ["*"]}}\n', async (proxy) => {
      const origin = "https://app.example.com";
      const preflight = await fetch(
        `${proxy.url}/openai/v1/chat/completions`, {
          method: "OPTIONS",
          headers: {
            origin, "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
          },
        });
      assert.equal(preflight.status, 204);
      const of = (response, header) =>
        response.headers.get(`access-control-${header}`);
      assert.match(of(preflight, "allow-methods"), /POST/);
      assert.match(of(preflight, "allow-headers"), /authorization/);
      const response = await it.send("/openai/v1/chat/completions", chat,
        { origin, authorization: "Bearer k" }, proxy);
      assert.equal(response.status, 200);
      for (const answer of [preflight, response])
        assert.ok(["*", origin].includes(of(answer, "allow-origin")));
      it.at.openai.only();
    }));

  row(name, "GET /health names every provider and how it does", async () => {
    const { providers } =
      await (await fetch(`${it.proxy.url}/health`)).json();
    for (const vendor of vendors)
      assert.equal(typeof providers[vendor].status, "string");
    assert.ok(providers.openai.requests > 0);
  });

  notOurs(name, "make (install, build, run, dev, test-*, version)",
    "not here: the Makefile has them");
});
