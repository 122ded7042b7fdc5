// A proxy that gives users of Anthropic's API the models of others.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";

import { until } from "../harness.mjs";
import { pythonEnvironment } from "../python/packages.mjs";
import { turn } from "../upstream.mjs";
import {
  directoryWith, finish, noCurl, placed, systemStage, withProxy,
} from "./stage.mjs";
import { notOurs, row } from "./table.mjs";

const name = "anthropic_front";
const host = "localhost:8081";
const key = { "x-api-key": "sk-proxy-your-secret-key" };
const noPython = "cannot: no Python package";

const places = (at) => ({
  "https://api.openai.com": at.openai.url,
  "http://localhost:11434": at.ollama.url,
  "https://your-workspace.databricks.com": at.databricks.url,
  "0.0.0.0": "127.0.0.1",
});

/** The block that starts it has two more ways, which start the other one. */
const firstWay = (text) =>
  text.split("\n").find((line) => line.endsWith(" llm-proxy"));

const hello = {
  model: "claude-sonnet-4-5-20250929", max_tokens: 16,
  messages: [{ role: "user", content: "Hello!" }],
};

describe(name, () => {
  const it = systemStage(name, {
    host, vendors: ["openai", "ollama", "databricks"],
    start: (at, stage) => ({
      shell: firstWay(stage.text("run.sh")),
      files: {
        ".env": placed(stage.text("env"), places(at)),
        "config.yaml": placed(stage.text("config.yaml"), places(at)),
      },
    }),
  });

  row(name, ".env.example, .env and config.yaml; start", async () => {
    const directory = directoryWith({
      ".env.example": placed(it.text("env"), places(it.at)),
      "config.yaml": placed(it.text("config.yaml"), places(it.at)),
    });
    await finish("bash", ["-c", it.text("copy.sh")], { cwd: directory });
    await withProxy({ shell: firstWay(it.text("run.sh")), directory },
      async (proxy) => {
        const response = await it.send("/v1/messages",
          { ...hello, model: "claude-opus-4-5-20251101" }, key, proxy);
        assert.equal(response.status, 200);
        await response.text();
        const call = it.at.openai.only();
        assert.equal(call.path, "/v1/chat/completions");
        assert.equal(call.model, "gpt-5.1");
        assert.equal(call.headers.authorization, "Bearer sk-...");
      });
  });

  for (const [example, file, env, model, vendor, path, sent] of [
    ["Ollama's backend", "ollama.yaml", {}, "ollama/llama3.2", "ollama",
      "/v1/chat/completions", undefined],
    ["Databricks' backend", "databricks.yaml", { DATABRICKS_TOKEN: "dapi-x" },
      "databricks/some-model", "databricks",
      "/serving-endpoints/chat/completions", "Bearer dapi-x"],
    ["OpenAI's backend", "openai.yaml", { OPENAI_API_KEY: "sk-own" },
      "gpt-5.1", "openai", "/v1/chat/completions", "Bearer sk-own"],
  ])
    row(name, example, () => withProxy({
      files: { "config.yaml": placed(it.text(file), places(it.at)) },
      env: {
        LLM_PROXY_CONFIG: "config.yaml", PROXY_API_KEY: key["x-api-key"],
        DATABRICKS_HOST: it.at.databricks.url, ...env,
      },
    }, async (proxy) => {
      const response = await it.send("/v1/messages",
        { ...hello, model }, key, proxy);
      assert.equal(response.status, 200, await response.text());
      const call = it.at[vendor].only();
      assert.equal(call.path, path);
      assert.equal(call.headers.authorization, sent);
      assert.equal(call.headers["x-api-key"], undefined);
    }));

  row(name, "LOG_LEVEL=DEBUG", () => withProxy(
    { shell: it.text("log_level.sh") }, async (proxy) => {
      await fetch(`${proxy.url}/health`);
      await until(() => proxy.output.includes("/health"), "a line of a log");
    }));

  row(name, "LOG_FILE", async () => {
    const directory = directoryWith({ "path/to/.keep": "" });
    // The folder of the example is nobody's; ours stands in for it.
    const shell = placed(it.text("log_file.sh"),
      { "/path/to": join(directory, "path/to") });
    await withProxy({ shell, directory }, async (proxy) => {
      await fetch(`${proxy.url}/v1/models`);
      await until(() => readFileSync(join(directory, "path/to/proxy.log"),
        "utf8").includes("/v1/models"), "a line in the file");
    });
  });

  /** What came to the backend of the model that the examples ask for. */
  function sent() {
    const call = it.at.ollama.only();
    assert.equal(call.path, "/v1/chat/completions");
    assert.equal(call.model, "llama3.2");
    // The backend has no key, and the client's is ours alone.
    assert.equal(call.headers.authorization, undefined);
    assert.equal(call.headers["x-api-key"], undefined);
    return call;
  }

  row(name, "cURL", async () => {
    const out = await it.curl("curl.sh");
    if (out === undefined) return noCurl;
    const body = JSON.parse(out);
    assert.equal(body.type, "message");
    assert.equal(body.role, "assistant");
    assert.deepEqual(body.content,
      [{ type: "text", text: "Hello!", citations: null }]);
    assert.equal(body.stop_reason, "end_turn");
    assert.equal(body.usage.output_tokens, 7);
    assert.equal(sent().view.maxTokens, 1024);
    return undefined;
  });

  /** Runs Python; `undefined`: it has no such package. */
  async function python(text) {
    const env = await pythonEnvironment("anthropic");
    return env && (await finish("python3", ["-c", text], { env })).stdout;
  }
  /** The part of the first example that the others go on from. */
  const client = () => it.block("sdk.py").split("# Use exactly")[0];

  row(name, "Anthropic's Python SDK", async () => {
    const out = await python(it.block("sdk.py"));
    if (out === undefined) return noPython;
    assert.equal(out, "Hello!\n");
    assert.equal(sent().view.messages[0].parts[0].text,
      "Hello, how are you?");
    return undefined;
  });

  row(name, "Anthropic's Python SDK, streaming", async () => {
    it.at.ollama.reply = turn([{ text: "Once upon a time." }]);
    const out = await python(client() + it.block("stream.py"));
    if (out === undefined) return noPython;
    assert.equal(out, "Once upon a time.");
    assert.equal(sent().view.stream, true);
    return undefined;
  });

  row(name, "Anthropic's Python SDK, tools", async () => {
    const args = { location: "Paris" };
    it.at.ollama.reply =
      turn([{ call: { id: "call_1", name: "get_weather", args } }]);
    const out = await python(
      `${client()}${it.block("tools.py")}\nprint(message.to_json())`);
    if (out === undefined) return noPython;
    const { content: [use], stop_reason: stop } = JSON.parse(out);
    assert.equal(stop, "tool_use");
    assert.equal(use.name, "get_weather");
    assert.deepEqual(use.input, args);
    const [tool] = sent().view.tools;
    assert.deepEqual(tool.schema.required, ["location"]);
    return undefined;
  });

  row(name, "POST /v1/messages, streaming", async () => {
    it.at.ollama.reply = turn([{ text: "Hello!" }]);
    const response =
      await it.send("/v1/messages", { ...hello, stream: true }, key);
    assert.match(response.headers.get("content-type"), /^text\/event-stream/);
    const text = await response.text();
    const types = [...text.matchAll(/^event: (\S+)$/gm)].map(([, t]) => t);
    assert.equal(types[0], "message_start");
    assert.equal(types.at(-1), "message_stop");
    assert.ok(types.includes("content_block_delta"));
    sent();
  });

  row(name, "POST /v1/messages/count_tokens", async () => {
    const response = await it.send("/v1/messages/count_tokens",
      { model: hello.model, messages: hello.messages }, key);
    assert.equal(response.status, 200);
    assert.ok((await response.json()).input_tokens > 0);
    it.at.ollama.taken();
  });

  row(name, "POST /api/event_logging/batch", async () => {
    const response =
      await it.send("/api/event_logging/batch", { events: [] }, key);
    assert.equal(response.status, 200);
    await response.text();
    assert.deepEqual(it.at.ollama.taken(), []);
  });

  row(name, "GET /health", async () => {
    const response = await fetch(`${it.proxy.url}/health`);
    assert.equal(response.status, 200);
    assert.equal((await response.json()).status, "ok");
  });

  row(name, "the key as Bearer; a wrong one or none: 401", async () => {
    const bearer = { authorization: `Bearer ${key["x-api-key"]}` };
    const good = await it.send("/v1/messages", hello, bearer);
    assert.equal(good.status, 200);
    sent();
    for (const headers of [{}, { "x-api-key": "sk-proxy-wrong" },
      { authorization: "Bearer sk-proxy-wrong" }]) {
      const response = await it.send("/v1/messages", hello, headers);
      assert.equal(response.status, 401);
      const body = await response.json();
      assert.equal(body.type, "error");
      assert.equal(body.error.type, "authentication_error");
    }
    assert.deepEqual(it.at.ollama.taken(), []);
  });

  for (const example of ["git clone, uv sync, pip install -e .",
    "python -m llm_proxy.main", "uvicorn llm_proxy.main:app",
    "uv sync --extra dev, pytest"]) notOurs(name, example);
});
