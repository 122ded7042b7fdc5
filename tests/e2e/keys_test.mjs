// Keys go to their own host: odd request targets, a `.env` of somebody else,
// backends that are the proxy itself, requests that go in circles.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { describe, test } from "node:test";

import { Proxy, scratch, within } from "./harness.mjs";

const key = "sk-operator-key-0123456789";

/** Runs the program in a folder with these files, to its end. */
async function finish(args, files, env = {}, modes = {}) {
  const directory = scratch();
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    writeFileSync(path, text);
    chmodSync(path, modes[name] ?? 0o644);
  }
  const { child, text, exit } = new Proxy(directory, args, env);
  const [code] = await within(exit, `exit of ${args.join(" ")}`)
    .finally(() => child.kill("SIGKILL"));
  assert.ok(!(text.stdout + text.stderr).includes(key));
  return { code, told: text.stderr };
}

/** A server that remembers what it was asked, and answers by `answer`. */
async function listener(answer) {
  const seen = [];
  const server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { seen, server, port: server.address().port };
}

/** Status of what a raw request gets. */
async function raw(port, head) {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (data) => { answer += data; });
  socket.write(`${head}\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
  await within(once(socket, "close"), head);
  return Number(answer.split(" ")[1]);
}

describe("request targets", () => {
  test("no target leads a key to another host", async () => {
    const ours = await listener((_, response) => response.end("{}"));
    const evil = await listener((_, response) => response.end("{}"));
    const proxy = await Proxy.start({
      config: {
        backends: {
          anthropic: { base_url: `http://127.0.0.1:${ours.port}`,
            api_key: key },
          bed: { provider: "bedrock", api_key: key,
            base_url: `http://127.0.0.1:${ours.port}` },
        },
      },
    });
    const there = `127.0.0.1:${evil.port}`;
    for (const target of [
      "anthropic", `anthropic/@${there}/x`, `anthropic@${there}/x`,
      `anthropic/.evil.test/x`, `bed/0@${there}/model/x`, `@${there}/x`,
      `/anthropic/x#y`, `/anthropic\\@${there}/x`, "*", "",
    ])
      for (const method of ["GET", "POST", "DELETE"])
        assert.equal(
          await raw(proxy.port, `${method} ${target} HTTP/1.1`), 400,
          `${method} ${target}`);
    for (const method of ["TRACE", "CONNECT"])
      assert.ok([400, 405].includes(
        await raw(proxy.port, `${method} /anthropic/x HTTP/1.1`)), method);
    assert.equal(evil.seen.length, 0);
    assert.equal(ours.seen.length, 0);
    await proxy.stop();
    for (const { server } of [ours, evil]) server.close();
  });
});

describe("a .env in the working directory", () => {
  test("does not send a key of the environment elsewhere", async () => {
    for (const args of [["check"], []]) {
      const { code, told } = await finish(args,
        { ".env": "OPENAI_BASE_URL=http://127.0.0.1:9\n" },
        { OPENAI_API_KEY: key });
      assert.equal(code, 2, told);
      assert.match(told, /OPENAI_BASE_URL is set in \.env/);
    }
    const both = await finish(["check"], {
      ".env": `OPENAI_BASE_URL=http://127.0.0.1:9\nOPENAI_API_KEY=${key}\n`,
    });
    assert.equal(both.code, 0, both.told);
  });

  test("does not name the configuration", async () => {
    const files = { ".env": "LLM_PROXY_CONFIG=mine.yaml\n",
      "mine.yaml": "models: {}\n" };
    const { code, told } = await finish(["check"], files);
    assert.equal(code, 2);
    assert.match(told, /LLM_PROXY_CONFIG/);
    assert.equal((await finish(["check"], files,
      { LLM_PROXY_CONFIG: "mine.yaml" })).code, 0);
    assert.equal((await finish(["check", "--config", "mine.yaml"],
      files)).code, 0);
  });

  test("is not believed where others may write it", async () => {
    const { code, told } = await finish(["check"], { ".env": "A=1\n" }, {},
      { ".env": 0o666 });
    assert.equal(code, 2);
    assert.match(told, /chmod go-w/);
  });
});

describe("loops", () => {
  test("a backend that is the proxy itself is refused", async () => {
    const config = (host, listens = "127.0.0.1") =>
      `server: {host: "${listens}", port: 9191, allow_anonymous: true}\n` +
      `backends: {up: {base_url: "http://${host}/v1"}}\n`;
    for (const host of ["127.0.0.1:9191", "localhost:9191", "127.1:9191",
      "2130706433:9191", "0x7f000001:9191", "0.0.0.0:9191"])
      for (const args of [["check"], []]) {
        const { code, told } = await finish(
          [...args, "--config", "c.yaml"], { "c.yaml": config(host) });
        assert.equal(code, 2, `${host}: ${told}`);
        assert.match(told, /backends\.up\.base_url.*itself/);
      }
    for (const host of ["127.0.0.5:9191", "localhost:9191"])
      assert.equal((await finish(["check", "--config", "c.yaml"],
        { "c.yaml": config(host, "0.0.0.0") })).code, 2, host);
    for (const host of ["127.0.0.1:9192", "127.0.0.2:9191",
      "nobody.invalid:9191"])
      assert.equal((await finish(["check", "--config", "c.yaml"],
        { "c.yaml": config(host) })).code, 0, host);
    // The command line counts.
    assert.equal((await finish(["check", "--config", "c.yaml", "--port",
      "9192"], { "c.yaml": config("127.0.0.1:9192") })).code, 2);
  });

  test("a request that comes back through another ends", async () => {
    let proxy;
    const between = await listener((request, response) => {
      const back = httpRequest(proxy.url + request.url,
        { method: request.method, headers: request.headers }, (answer) => {
          response.writeHead(answer.statusCode, answer.headers);
          answer.pipe(response);
        });
      request.pipe(back);
    });
    proxy = await Proxy.start({
      config: {
        backends: { up: { base_url: `http://127.0.0.1:${between.port}/v1` } },
        models: { m: "up" },
      },
    });
    const response = await fetch(`${proxy.url}/v1/chat/completions`, {
      method: "POST",
      body: '{"model":"m","messages":[{"role":"user","content":"hi"}]}',
    });
    assert.equal(response.status, 508);
    assert.match((await response.json()).error.message, /circles/);
    assert.equal(between.seen.length, 1);
    await proxy.stop();
    between.server.close();
  });
});
