// Starts the real llm-proxy and stops it again, and waits without sleeping.
// Nothing listens or connects beyond loopback; ports come from the kernel.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync, globSync, mkdtempSync, rmSync, statSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/** Where waiting ends and a test fails; only ever spent by a failure. */
export const deadline = 30_000;

/** The program under test: LLM_PROXY_BINARY, or the newest one built. */
export function binary() {
  const given = process.env.LLM_PROXY_BINARY;
  if (given) {
    if (!existsSync(given)) throw new Error(`LLM_PROXY_BINARY: no ${given}`);
    return resolve(given);
  }
  const built = ["build/llm-proxy", "build/*/llm-proxy",
    "build/*/server/llm-proxy"]
    .flatMap((pattern) => globSync(join(root, pattern)))
    .filter((path) => statSync(path).isFile())
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (!built.length)
    throw new Error("no llm-proxy under build/: build it first, or set " +
      "LLM_PROXY_BINARY");
  return built[0];
}

/**
 * An address where nobody listens: a port of old (discard) that the kernel
 * gives to no test running beside this one.
 */
export const nowhere = "http://127.0.0.1:9";

/** `promise`, or an error naming what did not come in time. */
export function within(promise, what, limit = deadline) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`not within ${limit} ms: ${what}`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks until `condition` returns something true; returns that. */
export async function until(condition, what, limit = deadline) {
  const end = performance.now() + limit;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end)
      throw new Error(`not within ${limit} ms: ${what}`);
    await new Promise((resolve_) => { setTimeout(resolve_, 10); });
  }
}

/** A promise with its switches outside. */
export function gate() {
  const out = {};
  out.promise = new Promise((open) => { out.open = open; });
  return out;
}

/** Block-style YAML for plain values; strings are always quoted. */
export function yaml(value, indent = "") {
  if (value === null || typeof value !== "object")
    return `${JSON.stringify(value)}\n`;
  const list = Array.isArray(value);
  const entries = list ? value.map((item) => ["-", item])
    : Object.entries(value).map(([key, item]) =>
      [`${JSON.stringify(key)}:`, item]);
  if (!entries.length) return list ? "[]\n" : "{}\n";
  return (indent && "\n") + entries.map(([key, item]) =>
    `${indent}${key} ${yaml(item, `${indent}  `)}`).join("");
}

// What this process must not leave behind, whatever happens to it.
const directories = new Set();
const children = new Set();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  for (const directory of directories)
    rmSync(directory, { recursive: true, force: true });
});

/** A directory that is gone when the test process ends. */
export function scratch() {
  const directory = mkdtempSync(join(tmpdir(), "llmproxy-e2e-"));
  directories.add(directory);
  return directory;
}

/** The program with nothing of our environment: no keys, no proxies. */
function launch(args, directory, env, program = binary()) {
  const child = spawn(program, args, {
    cwd: directory,
    env: {
      PATH: process.env.PATH, HOME: directory, TMPDIR: directory,
      LC_ALL: "C.UTF-8", ...env,
    },
  });
  children.add(child);
  child.once("close", () => children.delete(child));
  const text = { stdout: "", stderr: "" };
  for (const stream of Object.keys(text))
    child[stream].setEncoding("utf8").on("data", (data) => {
      text[stream] += data;
    });
  child.stdin.on("error", () => {});  // it may exit without reading
  return { child, text };
}

const sanitizerReport =
  /(ERROR|WARNING|SUMMARY): (\w+Sanitizer)|runtime error:/;

export function assertNoSanitizerReport(text) {
  assert.ok(!sanitizerReport.test(text), `sanitizer report:\n${text}`);
}

/** Runs the program to its end with `input` on standard input. */
export async function run(args, { input = "", env, expect } = {}) {
  const { child, text } = launch(args, scratch(), env);
  child.stdin.end(input);
  const [code, signal] = await within(
    once(child, "close"), `exit of llm-proxy ${args.join(" ")}`)
    .finally(() => child.kill("SIGKILL"));
  assertNoSanitizerReport(text.stderr);
  if (expect !== undefined)
    assert.equal(code, expect, `exit code ${code} ${signal}:\n${text.stderr}`);
  return { code, signal, ...text };
}

/** A running proxy. */
export class Proxy {
  /** `config` is written as YAML; without it the program gets no file. */
  static async start({ config, args = [], env } = {}) {
    const directory = scratch();
    const all = ["serve"];
    if (config) {
      const file = join(directory, "llm-proxy.yaml");
      writeFileSync(file, yaml({
        log: { format: "json" }, ...config,
        server: { host: "127.0.0.1", port: 0, ...config.server },
      }));
      all.push("--config", file);
    } else {
      all.push("--host", "127.0.0.1", "--port", "0");
    }
    const proxy = new Proxy(directory, [...all, ...args], env);
    await proxy.listening();
    return proxy;
  }

  /** `program` may be a shell that becomes the proxy. */
  constructor(directory, args, env, program) {
    const { child, text } = launch(args, directory, env, program);
    this.child = child;
    this.text = text;
    this.exit = once(child, "close");
    child.stdin.end();
  }

  /** Everything it printed. */
  get output() {
    return this.text.stdout + this.text.stderr;
  }

  async listening() {
    const pattern = /listening on (http:\/\/\S+?:(\d+))/;
    await until(() => pattern.test(this.output) ||
      this.child.exitCode !== null, "the line `listening on`");
    const match = pattern.exec(this.output);
    if (!match)
      throw new Error(`llm-proxy exited ${this.child.exitCode}:\n` +
        this.output);
    this.url = match[1];
    this.port = Number(match[2]);
  }

  /** Access log entries so far. */
  get log() {
    return this.output.split("\n").filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line))
      .filter((entry) => entry.path !== undefined);
  }

  /** The entry of one request, once it is written. */
  logged(match) {
    return until(() => this.log.find(match), `a log line: ${match}`);
  }

  /** Ends it as an operator would; a crash or a leak fails the test. */
  async stop() {
    this.child.kill("SIGTERM");
    const [code, signal] = await within(this.exit, "exit after SIGTERM")
      .finally(() => this.child.kill("SIGKILL"));
    assertNoSanitizerReport(this.output);
    assert.equal(code, 0, `exit ${code} ${signal}:\n${this.output}`);
  }
}

/** The two backends of an upstream, and patterns that reach every script. */
export const backendsFor = (upstream, extra = {}) => ({
  backends: {
    "up-openai": {
      provider: "openai", base_url: `${upstream.url}/v1`,
      api_key: "upstream-openai-key",
    },
    "up-claude": {
      provider: "anthropic", base_url: upstream.url,
      api_key: "upstream-claude-key",
    },
    "up-gemini": {
      provider: "gemini", base_url: upstream.url,
      api_key: "upstream-gemini-key",
    },
    "up-responses": {
      provider: "openai-responses", base_url: `${upstream.url}/v1`,
      api_key: "upstream-responses-key",
    },
    "up-bedrock": {
      provider: "bedrock-claude", base_url: upstream.url,
      api_key: "upstream-bedrock-key",
    },
    "up-converse": {
      provider: "bedrock", base_url: upstream.url,
      api_key: "upstream-converse-key",
    },
  },
  models: {
    "openai-chat/*": { backend: "up-openai", model: "*" },
    "claude/*": { backend: "up-claude", model: "*" },
    "openai-responses/*": { backend: "up-responses", model: "*" },
    "gemini/*": { backend: "up-gemini", model: "*" },
    "bedrock/*": { backend: "up-bedrock", model: "*" },
    "bedrock-converse/*": { backend: "up-converse", model: "*" },
  },
  ...extra,
});
