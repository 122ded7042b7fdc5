// The command line: version, check, what it refuses to start with, and the
// translator for pipes.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { records } from "./dialects/common.mjs";
import { dialects } from "./dialects/index.mjs";
import { Proxy, run, scratch, yaml } from "./harness.mjs";
import { weatherTool } from "./scenarios.mjs";
import { turn } from "./upstream.mjs";

const directory = scratch();

/** A file with this text; its path. */
function file(name, text) {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

test("env says what a client needs, for the server as configured",
  async () => {
    const path = file("env.yaml", 'server: {port: 9191, client_keys: [k]}\n' +
      "backends: {up: {provider: demo}}\nmodels: {mine: up}\n");
    for (const [client, line] of Object.entries({
      "claude-code": "export ANTHROPIC_BASE_URL=http://127.0.0.1:9191\n",
      codex: "model_providers.llm-proxy.base_url=http://127.0.0.1:9191/v1",
      "gemini-cli": "gemini -m mine\n",
      openai: "export OPENAI_API_KEY=YOUR_KEY\n",
      anthropic: "# then: model=mine\n",
      "google-genai": "export GOOGLE_GEMINI_BASE_URL=",
    })) {
      const { stdout } = await run(["env", client, "--config", path],
        { expect: 0 });
      assert.ok(stdout.includes(line), stdout);
    }
    const { stderr } = await run(["env", "nobody"], { expect: 2 });
    assert.match(stderr, /claude-code/);
    const near = await run(["env", "claude-cod"], { expect: 2 });
    assert.match(near.stderr, /did you mean "claude-code"/);
  });

test("env without a client lists those it knows", async () => {
  const { stdout } = await run(["env"], { expect: 0 });
  for (const name of ["claude-code", "aider", "langchain-js", "zed", "n8n"])
    assert.match(stdout, new RegExp(`^  ${name} `, "m"));
});

test("env knows paths, and whom an entry is meant for", async () => {
  const entry = (name, path, dialect, backend) => ({
    frontend_model_name: name, frontend_base_url: path,
    frontend_dialect: dialect, backend_model_name: "m",
    backend_base_url: "https://192.0.2.1", backend_api_key: "k".repeat(20),
    backend_dialect: backend,
  });
  const path = file("paths.yaml", yaml({ models: [
    entry("for-openai", "/a", "openai-chat", "claude"),
    entry("for-claude", "/b", "claude", "openai-responses"),
  ] }));
  const env = async (...args) =>
    (await run(["env", ...args, "--config", path], { expect: 0 }));
  const claude = await env("claude-code");
  assert.match(claude.stdout, /BASE_URL=http:\/\/127\.0\.0\.1:8080\/b\n/);
  assert.match(claude.stdout, /MODEL=for-claude\n/);
  assert.equal(claude.stderr, "");
  const openai = await env("openai", "--model", "for-claude");
  assert.match(openai.stdout, /BASE_URL=http:\/\/127\.0\.0\.1:8080\/b\/v1\n/);
  assert.equal(openai.stderr, "");
  const other = await env("openai", "--model", "nosuch");
  assert.match(other.stderr, /no model "nosuch" is served.*for-openai below/);
  assert.match(other.stdout, /model=nosuch/);
});

test("env says so where no model is known, and quotes what it is told",
  async () => {
    const path = file("star.yaml", good);
    const { stdout, stderr } = await run(["env", "openai", "--config", path],
      { expect: 0 });
    assert.match(stdout, /model=MODEL\n/);
    assert.match(stderr, /with one that the backend has/);
    const model = "it's $(touch /tmp/x)";
    const odd = await run(["env", "aider", "--config", path, "--model", model],
      { expect: 0 });
    const printed = odd.stdout.split("\n").find((line) =>
      line.startsWith("aider "));
    assert.equal(printed, `aider --model openai/'it'\\''s $(touch /tmp/x)'`);
    await run(["env", "aider", "--model", "a\nb"], { expect: 2 });
    await run(["env", "aider", "--config", "/nowhere/x.yaml"], { expect: 2 });
  });

test("what env prints is served, below a path too", async () => {
  const config = {
    backends: { up: { provider: "demo" } },
    models: { mine: { backend: "up", prefix: "/team/a" } },
  };
  const proxy = await Proxy.start({ config });
  try {
    const path = file("team.yaml", yaml(config));
    const said = [{ role: "user", content: "hi" }];
    const chat = { model: "mine", max_tokens: 9, messages: said };
    for (const [client, variable, rest, body] of [
      ["openai", "OPENAI_BASE_URL", "/chat/completions", chat],
      ["openai", "OPENAI_BASE_URL", "/responses",
        { model: "mine", input: "hi" }],
      ["anthropic", "ANTHROPIC_BASE_URL", "/v1/messages", chat],
      ["litellm", "GEMINI_API_BASE", "/models/mine:generateContent",
        { contents: [{ role: "user", parts: [{ text: "hi" }] }] }],
      ["boto3", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "/model/mine/converse",
        { messages: [{ role: "user", content: [{ text: "hi" }] }] }],
    ]) {
      const { stdout, stderr } = await run(["env", client, "--config", path,
        "--port", String(proxy.port)], { expect: 0 });
      assert.equal(stderr, "");
      assert.match(stdout, /=.*\bmine\n/);
      const [, base] = new RegExp(`${variable}=(\\S+)`).exec(stdout);
      assert.ok(base.includes("/team/a"), base);
      const answer = await fetch(base + rest,
        { method: "POST", body: JSON.stringify(body) });
      assert.equal(answer.status, 200, `${base}${rest}`);
      assert.match(await answer.text(), /hi/);
    }
  } finally {
    await proxy.stop();
  }
});

test("env warns of what the proxy itself would read", async () => {
  const { stdout } = await run(["env", "openai"], { expect: 0 });
  assert.match(stdout, /^# for the client's shell only: .* OPENAI_BASE_URL /m);
  const agent = await run(["env", "codex"], { expect: 0 });
  assert.doesNotMatch(agent.stdout, /shell only/);
});

test("version", async () => {
  const { stdout } = await run(["version"], { expect: 0 });
  assert.match(stdout, /\d+\.\d+\.\d+/);
});

test("help, and an unknown command", async () => {
  const { stdout } = await run(["--help"], { expect: 0 });
  for (const word of ["serve", "check", "version", "translate"])
    assert.match(stdout, new RegExp(word));
  const { code } = await run(["dance"]);
  assert.notEqual(code, 0);
});

// --- configuration --------------------------------------------------------

const good = `
backends:
  local: {base_url: "http://127.0.0.1:1/v1", api_key: "\${KEY_X:-none}"}
models:
  "*": local
`;

test("check: a good file", async () => {
  await run(["check", "--config", file("good.yaml", good)], { expect: 0 });
});

// What is wrong, the line it is on, and what the message must name.
const bad = {
  "an unknown section": ["surver:\n  port: 1\n", 1, /surver/],
  "an unknown key": ["server:\n  host: 127.0.0.1\n  prot: 1\n", 3, /prot/],
  "a port that is a word": ["server:\n  port: eighty\n", 2, /port/],
  "a port out of range": ["server:\n  port: 70000\n", 2, /port/],
  "broken YAML": ["server:\n  host: [1, 2\nmodels: {}\n", 2, /never closed/],
  "an unknown provider":
    [good.replace("local: {", "local: {provider: opnai, "), 3, /openai/],
  "an unknown backend": [good.replace('"*": local', '"*": locale'), 5,
    /locale/],
  "an unset variable": [good.replace("KEY_X:-none", "KEY_X"), 3, /KEY_X/],
  "a base URL that is none":
    [good.replace("http://127", "htp:/127"), 3, /base_url/],
  "two stars": [good.replace('"*"', '"*-*"'), 5, /\*/],
  "a list for a map": ["backends: [a, b]\n", 1, /backends/],
};

for (const command of ["check", "serve"])
  for (const [name, [text, line, message]] of Object.entries(bad))
    test(`${command}: ${name} exits 2 and says where`, async () => {
      const path = file("bad.yaml", text);
      const { stderr } = await run([command, "--config", path],
        { expect: 2 });
      assert.ok(stderr.includes(`${path}:${line}:`), stderr);
      assert.match(stderr, message);
    });

test("a file that is not there exits 2", async () => {
  const { stderr } = await run(["check", "--config", "/nowhere/x.yaml"],
    { expect: 2 });
  assert.match(stderr, /\/nowhere\/x\.yaml/);
});

// An address of no machine (RFC 5737): what is not refused fails to bind
// there, so nothing is ever opened to others.
const elsewhere = ["--host", "192.0.2.1", "--port", "0"];

test("listening beyond loopback without a key is refused", async () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1"]) {
    const { stderr } = await run(["serve", "--host", host, "--port", "0"],
      { expect: 2 });
    assert.match(stderr, /client_keys/);
    assert.match(stderr, /--allow-anonymous/);
  }
});

test("--allow-anonymous or a client key lifts the refusal", async () => {
  const keyed = file("keyed.yaml", "server: {client_keys: [abc]}\n");
  for (const args of [["--allow-anonymous"], ["--config", keyed]]) {
    const { code, stderr } = await run(["serve", ...elsewhere, ...args]);
    assert.notEqual(code, 0);
    assert.doesNotMatch(stderr, /--allow-anonymous/);
    assert.match(stderr, /192\.0\.2\.1/);
  }
});

// --- translate ------------------------------------------------------------

const translate = (noun, from, to, options) =>
  run(["translate", noun, "--from", from.name, "--to", to.name,
    ...(options.args ?? [])], options);

const question = {
  model: "some-model", system: "Be brief.", tools: [weatherTool],
  messages: [{ role: "user", parts: [{ text: "Zürich?" }] }],
  maxTokens: 99,
};
const answer = turn([
  { text: "Let me see: Zürich 😀." },
  { call: { id: "call_T1", name: "get_weather", args: { city: "Zürich" } } },
]);
const meta = { id: "t1", model: "some-model", usage: true };

const pairs = dialects.flatMap((from) =>
  dialects.map((to) => [from, to]));

function checkAnswer(read) {
  assert.equal(read.text, "Let me see: Zürich 😀.");
  assert.deepEqual(read.calls.map(({ name, args }) => [name, args]),
    [["get_weather", { city: "Zürich" }]]);
  assert.equal(read.stop, "tool");
}

for (const [from, to] of pairs) {
  const name = `translate ${from.name} to ${to.name}`;

  test(`${name}: request`, async () => {
    const { stdout } = await translate("request", from, to,
      { input: JSON.stringify(from.request(question)), expect: 0 });
    const view = to.view(JSON.parse(stdout));
    for (const key of ["model", "system", "tools", "messages", "maxTokens"])
      assert.deepEqual(view[key], question[key], key);
  });

  test(`${name}: response`, async () => {
    const { stdout } = await translate("response", from, to,
      { input: JSON.stringify(from.answer(answer, meta)), expect: 0 });
    checkAnswer(to.read(JSON.parse(stdout)));
  });

  test(`${name}: stream`, async () => {
    const input = from.events(answer, meta).map(({ bytes }) => bytes);
    const { stdout } = await translate("stream", from, to,
      { input: input.join(""), expect: 0 });
    const events = [...records(stdout)].map(to.parseRecord).filter(Boolean);
    checkAnswer(to.readEvents(events));
  });

  test(`${name}: a stream cut off`, async () => {
    const input = from.events(answer, meta).map(({ bytes }) => bytes);
    const { stdout } = await translate("stream", from, to,
      { input: input.slice(0, 5).join("") });
    const events = [...records(stdout)].map(to.parseRecord).filter(Boolean);
    assert.throws(() => to.readEvents(events), (error) => Boolean(error.body));
  });

  test(`${name}: error`, async () => {
    const { status, body } = from.error("rate_limited", "Slow down.");
    const { stdout } = await translate("error", from, to, {
      input: JSON.stringify(body), args: ["--status", String(status)],
      expect: 0,
    });
    assert.deepEqual(Object.keys(JSON.parse(stdout).error).includes("type"),
      true);
    assert.match(JSON.parse(stdout).error.message, /Slow down\./);
  });
}

const [openai, claude] = dialects;

test("translate: losses are JSON lines on standard error", async () => {
  const input = JSON.stringify({ ...openai.request(question), seed: 7 });
  const { stderr } =
    await translate("request", openai, claude, { input, expect: 0 });
  const losses = stderr.trim().split("\n").map((line) => JSON.parse(line));
  const seed = losses.find(({ path }) => path === "/seed");
  assert.equal(seed.kind, "dropped");
  assert.equal(typeof seed.what, "string");
  const strict = await translate("request", openai, claude,
    { input, args: ["--strict"], expect: 2 });
  assert.match(strict.stderr, /seed/);
});

test("translate: nothing lost, nothing said", async () => {
  const { stderr } = await translate("request", openai, claude,
    { input: JSON.stringify(openai.request(question)), expect: 0 });
  assert.equal(stderr, "");
});

test("translate: bad input exits 2 and names the place", async () => {
  const wrong = openai.request(question);
  wrong.messages[1].role = "wizard";
  for (const [input, message] of [
    ['{"model": nope}', /JSON/i], ["", /./],
    [JSON.stringify(wrong), /\/messages\/1\/role/],
  ]) {
    const { stdout, stderr } = await translate("request", openai, claude,
      { input, expect: 2 });
    assert.match(stderr, message);
    assert.equal(stdout, "");
  }
});

test("translate: unknown dialect and noun", async () => {
  for (const args of [
    ["request", "--from", "klingon", "--to", "claude"],
    ["poem", "--from", "claude", "--to", "claude"],
  ]) {
    const { code } = await run(["translate", ...args]);
    assert.notEqual(code, 0);
  }
});

test("translate stream --request: usage only when it was asked for",
  async () => {
    const input = claude.events(answer, meta)
      .map(({ bytes }) => bytes).join("");
    for (const usage of [false, true]) {
      const asked = file("request.json", JSON.stringify(
        openai.request({ ...question, stream: true, usage })));
      const { stdout } = await translate("stream", claude, openai,
        { input, args: ["--request", asked], expect: 0 });
      const chunks = [...records(stdout)].map(openai.parseRecord)
        .filter(Boolean);
      assert.equal(chunks.some((chunk) => chunk.usage), usage);
      checkAnswer(openai.readEvents(chunks));
    }
  });
