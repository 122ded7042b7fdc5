// A gateway that chooses the provider by the model's name.
import assert from "node:assert/strict";
import { describe } from "node:test";

import { noCurl, placed, systemStage } from "./stage.mjs";
import { notOurs, row } from "./table.mjs";

const name = "unified";
const path = "/api/v1/chat/completions";
const messages = [{ role: "user", content: "Hello!" }];

describe(name, () => {
  const it = systemStage(name, {
    host: "localhost:8000", vendors: ["openai", "anthropic", "deepseek"],
    start: (at, stage) => ({
      files: {
        ".env": placed(stage.text("env"), {
          "https://api.openai.com": at.openai.url,
          "https://api.anthropic.com": at.anthropic.url,
          "https://api.deepseek.com": at.deepseek.url,
        }),
      },
    }),
  });

  row(name, "basic chat completion", async () => {
    const out = await it.curl("chat.sh");
    if (out === undefined) return noCurl;
    const body = JSON.parse(out);
    assert.equal(body.object, "chat.completion");
    assert.equal(body.choices[0].message.content, "Hello!");
    assert.equal(body.choices[0].finish_reason, "stop");
    const call = it.at.openai.only();
    assert.equal(call.path, "/v1/chat/completions");
    assert.equal(call.model, "gpt-3.5-turbo");
    assert.equal(call.headers.authorization, "Bearer your_openai_key_here");
    return undefined;
  });

  row(name, "streaming chat completion", async () => {
    const out = await it.curl("stream.sh");
    if (out === undefined) return noCurl;
    const call = it.at.deepseek.only();
    assert.equal(out, call.sent);
    assert.equal(call.path, "/v1/chat/completions");
    assert.equal(call.model, "deepseek-chat");
    assert.equal(call.headers.authorization, "Bearer your_deepseek_key_here");
    return undefined;
  });

  row(name, ".env; models by prefix: gpt-, anthropic-, deepseek-",
    async () => {
      for (const [model, vendor, served, url] of [
        ["gpt-4o", "openai", "gpt-4o", "/v1/chat/completions"],
        ["anthropic-claude-3-opus", "anthropic", "claude-3-opus",
          "/v1/messages"],
        ["deepseek-chat", "deepseek", "deepseek-chat",
          "/v1/chat/completions"]])
        for (const stream of [false, true]) {
          const response = await it.send(path, { model, messages, stream });
          assert.equal(response.status, 200, model);
          const text = await response.text();
          assert.match(text, stream ? /"chat\.completion\.chunk"/
            : /"chat\.completion"/);
          const call = it.at[vendor].only();
          assert.equal(call.path, url);
          assert.equal(call.model, served);
          const sent = call.dialect.credential(call.headers);
          assert.equal(sent, `your_${vendor}_key_here`);
        }
    });

  /** The status and the error of a request. */
  async function refused(body, url = path) {
    const response = await it.send(url, body);
    const { error } = await response.json();
    assert.ok(error.message.length > 0);
    return response.status;
  }

  row(name, "errors: 400, bad input", async () => {
    for (const body of ["{", "", [], { messages }, { model: 7, messages },
      { model: "anthropic-x" }, { model: "anthropic-x", messages: "Hello!" }])
      assert.equal(await refused(body), 400, JSON.stringify(body));
    assert.deepEqual(it.at.anthropic.taken(), []);
    // What is the provider's own dialect is the provider's to refuse.
    const model = it.at.openai.add(
      (call) => call.error("invalid", "No messages."), "gpt-strict");
    assert.equal(await refused({ model }), 400);
    it.at.openai.taken();
  });

  row(name, "errors: 401, a key the provider refuses", async () => {
    for (const [vendor, model] of [["openai", "gpt-refused"],
      ["anthropic", "claude-refused"]]) {
      it.at[vendor].add(
        (call) => call.error("unauthenticated", "No such key."), model);
      assert.equal(await refused({ model, messages }), 401);
      it.at[vendor].taken();
    }
  });

  row(name, "errors: 404, no such endpoint or model", async () => {
    assert.equal(await refused({}, "/api/v1/nothing"), 404);
    assert.equal(await refused({ model: "unheard-of", messages }), 404);
  });

  row(name, "errors: 500, the provider fails", async () => {
    const model = it.at.openai.add(
      (call) => call.error("failed", "Oh."), "gpt-failing");
    assert.equal(await refused({ model, messages }), 500);
    it.at.openai.taken();
  });

  for (const example of ["venv, pip install -r requirements.txt",
    "docker-compose (up, ps, logs, down)", "uvicorn app.main:app --reload",
    "Python: a class for a new provider",
    "Python: its configuration"]) notOurs(name, example);
});
