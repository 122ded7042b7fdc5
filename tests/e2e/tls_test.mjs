// Upstreams behind TLS: HTTP/1.1 or, where it is asked for and offered,
// HTTP/2; whom the proxy trusts; and handshakes that need not be whole.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Proxy, scratch } from "./harness.mjs";

const chunks = ["data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\"," +
  "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"}}]}\n\n",
"data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"choices\":[{" +
  "\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
"data: [DONE]\n\n"];
const whole = JSON.stringify({ id: "1", object: "chat.completion",
  choices: [{ index: 0, finish_reason: "stop",
    message: { role: "assistant", content: "hello" } }] });

let folder;
let certificate;
let server;
let seen;

before(async () => {
  folder = scratch();
  certificate = join(folder, "certificate.pem");
  const key = join(folder, "key.pem");
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt",
    "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=test",
    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
    "-out", certificate], { stdio: "ignore" });
  seen = [];
  server = createSecureServer({ allowHTTP1: true, key: readFileSync(key),
    cert: readFileSync(certificate) }, (request, response) => {
    const { socket } = request.httpVersion === "2.0" ? request.stream.session
      : request;
    let body = "";
    request.on("data", (piece) => { body += piece; });
    request.on("end", () => {
      const { stream } = JSON.parse(body);
      seen.push({ version: request.httpVersion,
        resumed: socket.isSessionReused() });
      response.setHeader("content-type",
        stream ? "text/event-stream" : "application/json");
      if (!stream) return response.end(whole);
      for (const chunk of chunks) response.write(chunk);
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => server.close());

const config = (upstream) => ({
  upstream,
  backends: { it: { provider: "openai", api_key: "key",
    base_url: `https://127.0.0.1:${server.address().port}` } },
  models: { "*": { backend: "it", model: "*" } },
});

async function ask(proxy, stream) {
  const response = await fetch(`${proxy.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "m", stream,
      messages: [{ role: "user", content: "hi" }] }),
  });
  return { status: response.status, text: await response.text() };
}

for (const [http2, version] of [[false, "1.1"], [true, "2.0"]])
  test(`http2: ${http2} speaks HTTP/${version}`, async () => {
    const proxy = await Proxy.start({ config: config({ http2 }),
      env: { SSL_CERT_FILE: certificate } });
    seen.length = 0;
    for (const stream of [false, true, false, true]) {
      const { status, text } = await ask(proxy, stream);
      assert.equal(status, 200, text);
      assert.match(text, /hello/);
    }
    assert.deepEqual(seen.map((call) => call.version),
      [version, version, version, version]);
    // The whole answers share one connection, the streams another; the second
    // to be made goes on with the TLS session of the first.
    assert.equal(seen[0].resumed, false);
    assert.equal(seen[1].resumed, true);
    await proxy.stop();
  });

test("a certificate nobody vouches for is refused", async () => {
  const proxy = await Proxy.start({ config: config({}) });
  seen.length = 0;
  const { status, text } = await ask(proxy, false);
  assert.equal(status, 502);
  assert.match(text, /certificate/);
  assert.deepEqual(seen, []);
  await proxy.stop();
});
