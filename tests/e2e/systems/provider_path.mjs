// A proxy whose path names the provider: POST /v1/chat/{provider}.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";

import { nowhere, scratch } from "../harness.mjs";
import {
  finish, noCurl, systemStage, withProxy,
} from "./stage.mjs";
import { notOurs, row } from "./table.mjs";

const name = "provider_path";
const picture = "/wikipedia/commons/3/3c/Shaki_waterfall.jpg";
// As much of a JPEG as says that it is one, and a PNG.
const jpeg = Buffer.from("ffd8ffe000104a46494600010100000100010000ffd9", "hex");
const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");

const bases = (at) => ({
  OPENAI_BASE_URL: at.openai.url, ANTHROPIC_BASE_URL: at.anthropic.url,
  GEMINI_BASE_URL: at.gemini.url,
});

const keys = {
  OPENAI_API_KEY: "user-openai-key", ANTHROPIC_API_KEY: "user-anthropic-key",
  GEMINI_API_KEY: "user-gemini-key",
};

const shape = (provider, model, stop) => ({
  provider, model, content: "Hello!",
  content_parts: [{ type: "text", text: "Hello!" }], stop_reason: stop,
});

describe(name, () => {
  const it = systemStage(name, {
    host: "localhost:8000", vendors: ["openai", "anthropic", "gemini"],
    start: (at) => ({ env: bases(at) }),
  });

  row(name, "OpenAI (non-stream)", async () => {
    const out = await it.curl("openai_non_stream.sh", { env: keys });
    if (out === undefined) return noCurl;
    assert.deepEqual(JSON.parse(out), shape("openai", "gpt-4o-mini", "stop"));
    const call = it.at.openai.only();
    assert.equal(call.path, "/v1/chat/completions");
    assert.equal(call.headers.authorization, "Bearer user-openai-key");
    assert.equal(call.model, "gpt-4o-mini");
  });

  row(name, "OpenAI (stream)", async () => {
    const out = await it.curl("openai_stream.sh", { env: keys });
    if (out === undefined) return noCurl;
    const call = it.at.openai.only();
    assert.equal(out, call.sent);
    assert.equal(call.headers.authorization, "Bearer user-openai-key");
  });

  row(name, "Anthropic (non-stream)", async () => {
    const out = await it.curl("anthropic_non_stream.sh", { env: keys });
    if (out === undefined) return noCurl;
    const model = "claude-3-5-sonnet-20240620";
    assert.deepEqual(JSON.parse(out), shape("anthropic", model, "end_turn"));
    const call = it.at.anthropic.only();
    assert.equal(call.path, "/v1/messages");
    assert.equal(call.headers["x-api-key"], "user-anthropic-key");
    assert.equal(call.headers.authorization, undefined);
    assert.equal(call.model, model);
    assert.equal(call.view.system, "You are helpful");
    assert.equal(call.json.max_tokens, 256);
  });

  row(name, "OpenAI multimodal (image URL)", async () => {
    const out = await it.curl("openai_image_url.sh", { env: keys });
    if (out === undefined) return noCurl;
    assert.deepEqual(JSON.parse(out), shape("openai", "gpt-4o-mini", "stop"));
    const [, { image_url: image }] =
      it.at.openai.only().json.messages[0].content;
    assert.deepEqual(image, { url: `https://upload.wikimedia.org${picture}` });
  });

  row(name, "Gemini multimodal (image URL)", async () => {
    // The one host that the proxy itself asks, and that is not public here.
    const host = new URL(it.at.openai.url).host;
    it.at.openai.add((call) =>
      call.raw(200, { "content-type": "image/jpeg" }, jpeg), picture);
    const config = `images: {allow_addresses: ["${host}"]}\n`;
    const out = await withProxy({
      files: { "images.yaml": config },
      env: { ...bases(it.at), LLM_PROXY_CONFIG: "images.yaml" },
    }, (proxy) => it.curl("gemini_image_url.sh", {
      proxy, env: keys,
      places: { "https://upload.wikimedia.org": it.at.openai.url },
    }));
    if (out === undefined) return noCurl;
    assert.deepEqual(JSON.parse(out),
      shape("gemini", "gemini-1.5-flash", "STOP"));
    assert.equal(it.at.openai.only().method, "GET");
    const call = it.at.gemini.only();
    assert.match(call.path, /\/models\/gemini-1\.5-flash:generateContent/);
    assert.equal(call.headers["x-goog-api-key"] ??
      new URL(call.path, "http://x").searchParams.get("key"),
    "user-gemini-key");
    const [{ parts }] = call.json.contents;
    assert.deepEqual(parts[1].inlineData,
      { mimeType: "image/jpeg", data: jpeg.toString("base64") });
    return undefined;
  });

  row(name, "body and answer", async () => {
    const response = await it.send("/v1/chat/openai", it.text("body.json"),
      { "x-api-key": "user-openai-key" });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), JSON.parse(it.text("answer.json")));
    const { json } = it.at.openai.only();
    assert.equal(json.temperature, 0.2);
    assert.equal(json.max_completion_tokens ?? json.max_tokens, 256);
    assert.deepEqual(json.messages[0],
      { role: "system", content: "You are helpful" });
  });

  row(name, "Python: saving the images of an answer", async () => {
    const model = it.at.gemini.add((call) => call.whole(200, {
      candidates: [{
        content: { role: "model", parts: [{ text: "Here." }, {
          inlineData: { mimeType: "image/png", data: png.toString("base64") },
        }] },
        finishReason: "STOP",
      }],
    }));
    const response = await it.send("/v1/chat/gemini",
      { model, messages: [{ role: "user", content: "Draw." }] },
      { "x-api-key": "user-gemini-key" });
    const cwd = scratch();
    try {
      await finish("python3", ["-c",
        `import json, sys\nresp_json = json.load(sys.stdin)\n` +
        it.text("save_images.py")], { cwd, input: await response.text() });
    } catch (error) {
      if (error.code === "ENOENT") return "cannot: no Python";
      throw error;
    }
    assert.deepEqual(readFileSync(join(cwd, "output.png")), png);
    it.at.gemini.taken();
    return undefined;
  });

  row(name, "image as base64", async () => {
    for (const provider of ["openai", "anthropic", "gemini"]) {
      const data = png.toString("base64");
      const response = await it.send(`/v1/chat/${provider}`, {
        model: "m", max_tokens: 9, messages: [{ role: "user", content: [
          { type: "text", text: "What is it?" },
          { type: "image_base64", data, mime_type: "image/png" },
        ] }],
      }, { "x-api-key": "k" });
      assert.equal(response.status, 200, await response.text());
      const [, { image }] = it.at[provider].only().view.messages[0].parts;
      assert.deepEqual(image, { mediaType: "image/png", data });
    }
  });

  row(name, "keys of the environment, no header", () => withProxy(
    { env: { ...bases(it.at), ...keys } }, async (proxy) => {
      for (const [provider, credential] of [
        ["openai", "authorization"], ["anthropic", "x-api-key"],
        ["gemini", "x-goog-api-key"]]) {
        const body = { model: "m", max_tokens: 9,
          messages: [{ role: "user", content: "Hello!" }] };
        const ask = (headers) =>
          it.send(`/v1/chat/${provider}`, body, headers, proxy);
        for (const [headers, key] of [[{}, `user-${provider}-key`],
          [{ "x-api-key": "of-the-header" }, "of-the-header"]]) {
          assert.equal((await ask(headers)).status, 200, provider);
          const sent = it.at[provider].only().headers[credential];
          assert.equal(sent.replace("Bearer ", ""), key);
        }
      }
    }));

  row(name, "no key at all: 401", async () => {
    const response = await it.send("/v1/chat/openai", it.text("body.json"));
    assert.equal(response.status, 401);
    assert.deepEqual(it.at.openai.taken(), []);
  });

  row(name, "upstream errors keep status and body", async () => {
    const body = { error: { message: "Slow down.", type: "rate" }, more: 1 };
    const model = it.at.openai.add((call) => call.whole(429, body));
    const response = await it.send("/v1/chat/openai",
      { model, messages: [{ role: "user", content: "Hello!" }] },
      { "x-api-key": "k" });
    assert.equal(response.status, 429);
    assert.deepEqual(await response.json(), body);
    it.at.openai.taken();
  });

  row(name, "a dead upstream: 502", async () => {
    const dead = { OPENAI_BASE_URL: nowhere };
    await withProxy({ env: dead }, async (proxy) => {
      const response = await it.send("/v1/chat/openai", it.text("body.json"),
        { "x-api-key": "k" }, proxy);
      assert.equal(response.status, 502);
      assert.ok((await response.json()).error.message);
    });
  });

  row(name, "GET /healthz", async () => {
    const response = await fetch(`${it.proxy.url}/healthz`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: "ok" });
  });

  for (const example of ["uv (install, sync, run -s dev, run -s start)",
    "venv, pip install, uvicorn app.main:app"]) notOurs(name, example);
});
