// The agents, each as a row: how it is started, and how a model asks for its
// tools. A tool call is { name, args }; `free` marks one whose argument is
// free text. Nothing beyond loopback can be reached: every other host is sent
// to a proxy that does not exist.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { scratch } from "../e2e/harness.mjs";

const bin = (...path) =>
  resolve(import.meta.dirname, "node_modules", ...path);

const versionOf = (name) => JSON.parse(
  readFileSync(bin(name, "package.json"), "utf8")).version;

const nowhere = "http://127.0.0.1:9";
const environment = (home, rest) => ({
  PATH: process.env.PATH, HOME: home, TMPDIR: home, TERM: "xterm-256color",
  LC_ALL: "C.UTF-8", HTTPS_PROXY: nowhere, https_proxy: nowhere,
  HTTP_PROXY: nowhere, http_proxy: nowhere,
  NO_PROXY: "127.0.0.1,localhost", no_proxy: "127.0.0.1,localhost", ...rest,
});

const node = resolve(import.meta.dirname, "../e2e/node_modules/.bin/node");

const lastJson = (text) => {
  const start = text.indexOf("{");
  return start < 0 ? undefined : JSON.parse(text.slice(start));
};

export const agents = [
  {
    name: "claude-code",
    version: () => versionOf("@anthropic-ai/claude-code"),
    dialect: "claude",
    model: "claude-sonnet-4-5",
    command: ({ prompt }) => [
      bin("@anthropic-ai/claude-code-linux-x64/claude"), "-p", prompt,
      "--output-format", "json", "--allowedTools", "Read,Edit,Write"],
    env: ({ url, model }) => ({
      ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: "dummy",
      ANTHROPIC_MODEL: model,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CODE_MAX_RETRIES: "1",
    }),
    read: (stdout) => {
      const { result, is_error: failed } = lastJson(stdout);
      return { text: result, failed };
    },
    tools: {
      read: (path) => ({ name: "Read", args: { file_path: path } }),
      edit: (path, from, to) => ({ name: "Edit",
        args: { file_path: path, old_string: from, new_string: to } }),
    },
  },
  {
    name: "codex",
    version: () => versionOf("@openai/codex"),
    dialect: "openai-responses",
    model: "gpt-5.5",
    command: ({ prompt, url, model }) => [
      bin(".bin/codex"), "exec", "--skip-git-repo-check", "--json",
      "-m", model,
      ...["model_provider=p", "model_providers.p.name=p",
        `model_providers.p.base_url=${url}/v1`,
        "model_providers.p.env_key=PROXY_KEY",
        "model_providers.p.wire_api=responses",
        "model_providers.p.request_max_retries=2",
        "model_providers.p.stream_max_retries=1",
        "analytics.enabled=false", "features.plugins=false",
      ].flatMap((setting) => ["-c", setting]),
      "--dangerously-bypass-approvals-and-sandbox", prompt],
    env: ({ home }) => ({ CODEX_HOME: home, PROXY_KEY: "dummy" }),
    read: (stdout) => {
      const events = stdout.split("\n").filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line));
      const messages = events
        .filter(({ item }) => item?.type === "agent_message");
      return {
        text: messages.at(-1)?.item.text,
        failed: events.some(({ type }) => type === "turn.failed"),
      };
    },
    tools: {
      read: (path) => ({ name: "exec_command", args: { cmd: `cat ${path}` } }),
      edit: (path, from, to) => ({ name: "apply_patch", free:
        `*** Begin Patch\n*** Update File: ${path}\n@@\n-${from}\n+${to}\n` +
        "*** End Patch\n" }),
    },
  },
  {
    name: "gemini-cli",
    version: () => versionOf("@google/gemini-cli"),
    dialect: "gemini",
    model: "gemini-2.5-flash",
    prepare: (home) => {
      mkdirSync(join(home, ".gemini"), { recursive: true });
      writeFileSync(join(home, ".gemini/settings.json"), JSON.stringify({
        security: { auth: { selectedType: "gemini-api-key" } },
        privacy: { usageStatisticsEnabled: false },
      }));
    },
    command: ({ prompt, model }) => [
      node, bin(".bin/gemini"), "-m", model, "-y", "-p", prompt,
      "-o", "json"],
    env: ({ url }) => ({
      GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: "dummy",
      GEMINI_CLI_TRUST_WORKSPACE: "true",
    }),
    read: (stdout) => {
      const { response, error } = lastJson(stdout) ?? {};
      return { text: response, failed: error !== undefined };
    },
    tools: {
      read: (path) => ({ name: "read_file", args: { file_path: path } }),
      edit: (path, from, to) => ({ name: "replace", args: {
        file_path: path, old_string: from, new_string: to,
        instruction: "Correct the line." } }),
    },
  },
];

/** The same agent with a model it does not know, or knows to be newer. */
const variant = (name, model, tools) => {
  const agent = agents.find((row) => row.name === name);
  return { ...agent, name: `${name} ${model}`, model,
    tools: { ...agent.tools, ...tools } };
};

/** Codex's newest models write programs that use the tools. */
const program = (code) => ({ name: "functions__exec", free: code });

agents.push(
  variant("claude-code", "some-model"),
  // Models it does not know get no patch tool.
  variant("codex", "some-model", {
    edit: (path, from, to) => ({ name: "exec_command",
      args: { cmd: `sed -i 's/^${from}$/${to}/' ${path}` } }),
  }),
  variant("codex", "gpt-5.6-sol", {
    read: (path) => program(
      `const r = await tools.exec_command({cmd: "cat ${path}"});\n` +
      "text(r.output ?? r);\n"),
    edit: (path, from, to) => program("text(await tools.apply_patch(" +
      JSON.stringify(`*** Begin Patch\n*** Update File: ${path}\n@@\n` +
        `-${from}\n+${to}\n*** End Patch\n`) + "));\n"),
  }),
  variant("gemini-cli", "some-model"));

/** Runs an agent to its end in `folder`. */
export async function drive(agent, { url, prompt, folder }) {
  const own = scratch();
  agent.prepare?.(own);
  const { model } = agent;
  const [program, ...args] = agent.command({ prompt, url, model });
  const child = spawn(program, args, {
    cwd: folder, env: environment(own, agent.env({ url, home: own, model })),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  for (const stream of Object.keys(text))
    child[stream].setEncoding("utf8").on("data", (data) => {
      text[stream] += data;
    });
  const timer = setTimeout(() => child.kill("SIGKILL"), 90_000);
  const code = await new Promise((done) => { child.on("close", done); });
  clearTimeout(timer);
  try {
    const answer = agent.read(text.stdout);
    return { ...text, ...answer, failed: answer.failed || code !== 0 };
  } catch (error) {
    return { ...text, failed: true, text: String(error) };
  }
}
