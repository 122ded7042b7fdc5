// A proxy configured by one list of models, each below a prefix.
import assert from "node:assert/strict";
import { describe } from "node:test";

import * as claude from "../dialects/claude.mjs";
import * as openaiChat from "../dialects/openai_chat.mjs";
import {
  directoryWith, finish, placed, systemStage, withProxy,
} from "./stage.mjs";
import { notOurs, row } from "./table.mjs";

const name = "dialect";
const hosts = (at) => ({
  "https://api.openai.com": at.openai.url,
  "https://api.anthropic.com": at.anthropic.url,
});
const messages = [{ role: "user", parts: [{ text: "Hello!" }] }];
const chat = (dialect, model, rest) =>
  dialect.request({ model, messages, maxTokens: 16, ...rest });
/** Must not get beyond the proxy where the list has a key. */
const own = { authorization: "Bearer client-key", "x-api-key": "client-key" };

describe(name, () => {
  const it = systemStage(name, {
    host: "localhost:8080", vendors: ["openai", "anthropic"],
    start: (at, stage) => ({
      files: {
        "config.yaml": placed(stage.text("translation_mode.yaml"), hosts(at)),
      },
      env: { LLM_PROXY_CONFIG: "config.yaml" },
    }),
  });

  // The template of the documentation, filled in. Its key is left empty.
  const filledIn = () => placed(it.text("config.yaml"), {
    "<client-facing model name>": "front",
    "<route prefix>": "/openai",
    "<real upstream model name>": "gpt-4o",
    "<upstream base URL>": it.at.openai.url,
  });

  row(name, "config.yaml, copied; --config; no key: the client's", async () => {
    const directory =
      directoryWith({ "config/config.example.yaml": filledIn() });
    await finish("bash", ["-c", it.text("copy.sh")], { cwd: directory });
    await withProxy({ shell: it.text("run.sh"), directory }, async (proxy) => {
      const response = await it.send("/openai/v1/chat/completions",
        chat(openaiChat, "front"),
        { authorization: "Bearer client-key", "x-other": "kept" }, proxy);
      assert.equal(response.status, 200, await response.text());
      const call = it.at.openai.only();
      assert.equal(call.path, "/v1/chat/completions");
      assert.equal(call.model, "gpt-4o");
      assert.equal(call.headers.authorization, "Bearer client-key");
      assert.equal(call.headers["x-other"], "kept");
    });
  });

  row(name, "proxy mode", () => withProxy({
    files: {
      "config.yaml": placed(it.text("proxy_mode.yaml"), hosts(it.at)),
    },
    env: { LLM_PROXY_CONFIG: "config.yaml" },
  }, async (proxy) => {
    for (const stream of [false, true]) {
      const body = chat(openaiChat, "gpt-4-proxy", { stream });
      const response = await it.send(
        "/openai/v1/chat/completions", body, own, proxy);
      assert.equal(response.status, 200);
      const text = await response.text();
      const call = it.at.openai.only();
      assert.equal(text, call.sent);
      assert.equal(call.path, "/v1/chat/completions");
      assert.equal(call.headers.authorization, "Bearer sk-...");
      assert.equal(call.headers["x-api-key"], undefined);
      assert.deepEqual(call.json, { ...body, model: "gpt-4" });
    }
  }));

  row(name, "translation mode: claude-via-openai", async () => {
    for (const stream of [false, true]) {
      const response = await it.send("/openai-compat/v1/chat/completions",
        chat(openaiChat, "claude-via-openai", { stream }), own);
      assert.equal(response.status, 200);
      const text = await response.text();
      if (stream) assert.match(text, /"chat\.completion\.chunk"[^]*\[DONE\]/);
      else assert.equal(openaiChat.read(JSON.parse(text)).text, "Hello!");
      const call = it.at.anthropic.only();
      assert.equal(call.path, "/v1/messages");
      assert.equal(call.model, "claude-3-5-sonnet-20241022");
      assert.equal(call.headers["x-api-key"], "sk-ant-...");
      assert.equal(call.headers.authorization, undefined);
    }
  });

  row(name, "translation mode: gpt4-via-claude", async () => {
    for (const stream of [false, true]) {
      const response = await it.send("/claude-compat/v1/messages",
        chat(claude, "gpt4-via-claude", { stream }), own);
      assert.equal(response.status, 200);
      const text = await response.text();
      if (stream) assert.match(text, /message_start[^]*message_stop/);
      else assert.equal(claude.read(JSON.parse(text)).text, "Hello!");
      const call = it.at.openai.only();
      assert.equal(call.path, "/v1/responses");
      assert.equal(call.model, "gpt-4o");
      assert.equal(call.headers.authorization, "Bearer sk-...");
      assert.equal(call.headers["x-api-key"], undefined);
    }
  });

  row(name, "system_replacements, system_append", () => withProxy({
    files: {
      "config.yaml": placed(filledIn(), {
        "system_replacements: {}": "system_replacements: {cold: warm}",
        'system_append: ""': 'system_append: "Be brief."',
      }),
    },
    env: { LLM_PROXY_CONFIG: "config.yaml" },
  }, async (proxy) => {
    const response = await it.send("/openai/v1/chat/completions",
      chat(openaiChat, "front", { system: "Stay cold." }), own, proxy);
    assert.equal(response.status, 200);
    const { system } = it.at.openai.only().view;
    assert.match(system, /^Stay warm\.\s+Be brief\.$/);
  }));

  row(name, "the model of one prefix is not below another", async () => {
    const response = await it.send("/claude-compat/v1/messages",
      chat(claude, "claude-via-openai"), own);
    assert.equal(response.status, 404);
    assert.deepEqual(it.at.anthropic.taken(), []);
  });

  row(name, "GET /healthz", async () => {
    const response = await fetch(`${it.proxy.url}/healthz`);
    assert.equal(response.status, 200);
  });

  for (const example of ["git clone, pip install .",
    "pip install -e \".[dev]\", pytest"]) notOurs(name, example);
});
