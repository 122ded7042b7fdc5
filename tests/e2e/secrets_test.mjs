// No secret of the configuration, the environment or a request is in
// anything the program says: responses, log, `check`, `version`.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { requests } from "./secrets/requests.mjs";
import { canary, secretStage } from "./secrets/stage.mjs";

/** Also as what basic authentication and cautious programs make of it. */
const signs = /CANARY|Q0FOQVJZ|NBTkFSW|DQU5BUl|43414e415259/i;

const around = (text) => {
  const at = text.search(signs);
  return text.slice(Math.max(0, at - 120), at + 80);
};

const clean = (text, what) =>
  assert.ok(!signs.test(text), `${what}: ...${around(text)}...`);

/** What came of a body; a stream that fails may break its connection off. */
const received = async (response) => {
  const pieces = [];
  try {
    for await (const piece of response.body ?? []) pieces.push(piece);
  } catch (error) {
    if (error.message !== "terminated") throw error;
  }
  return Buffer.concat(pieces);
};

const say = ({ method, path, headers, body }, url) => fetch(url + path, {
  method, headers: { "content-type": "application/json", ...headers },
  body: body === undefined || typeof body === "string"
    ? body : JSON.stringify(body),
});

const logs = [{ format: "json" }, { format: "text", file: "proxy.log" }];

for (const log of logs)
  describe(`log ${log.format}${log.file ? " in a file" : ""}`, () => {
    const it = secretStage(log);

    for (const request of requests)
      test(request.name, async () => {
        const response = await say(request, it.proxy.url);
        const text = (await received(response))
          .toString("latin1");
        if (request.status) assert.equal(response.status, request.status);
        if (request.ok !== undefined)
          assert.equal(response.ok, request.ok, `${response.status} ${text}`);
        if (request.mayEcho) return;
        clean(JSON.stringify([...response.headers]), "headers");
        clean(text, `body (${response.status})`);
      });

    test("the log", () => {
      assert.ok(it.written.length > 10_000, "nothing was logged");
      clean(it.written, "log");
    });

    test("check", async () => {
      const { code, output } =
        await it.command(["check", "--config", "config.yaml"]);
      assert.equal(code, 0, output);
      assert.match(output, /up-openai-chat/);
      clean(output, "check");
    });

    test("version", async () =>
      clean((await it.command(["version"])).output, "version"));
  });

// A secret at a wrong place, or of a wrong shape.
const misplaced = {
  "a client key that is no list": (secret) =>
    `server: {client_keys: ${secret}}\n`,
  "a key that is a list": (secret) =>
    `backends: {a: {base_url: "http://127.0.0.1:1", api_key: [${secret}]}}\n`,
  "a header of two lines": (secret) =>
    `backends: {a: {base_url: "http://127.0.0.1:1",
      headers: {x-a: "${secret}\\nb"}}}\n`,
  "a password in a URL": (secret) =>
    `backends: {a: {base_url: "http://user:${secret}@127.0.0.1"}}\n`,
  "a password in a URL that is none": (secret) =>
    `backends: {a: {base_url: "htp://user:${secret}@127.0.0.1"}}\n`,
  "a port": (secret) => `server: {port: ${secret}}\n`,
  "a word of a list": (secret) => `log: {level: ${secret}}\n`,
  "a variable's value": () => "server: {port: \"${SECRET}\"}\n",
};

describe("a configuration that is refused", () => {
  const it = secretStage({ format: "json" });
  for (const [name, text] of Object.entries(misplaced))
    test(name, async () => {
      const secret = canary("misplaced");
      writeFileSync(join(it.directory, "bad.yaml"), text(secret));
      writeFileSync(join(it.directory, ".env"), `SECRET=${secret}\n`);
      for (const args of [["check"], []]) {
        const { code, output } =
          await it.command([...args, "--config", "bad.yaml"]);
        assert.equal(code, 2, output);
        clean(output, args[0] ?? "serve");
      }
    });
});
