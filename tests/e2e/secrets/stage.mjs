// A proxy in whose configuration, environment and requests every secret is
// a canary, and an upstream that tells all it was sent when it fails.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";

import { every } from "../dialects/index.mjs";
import { Proxy, yaml } from "../harness.mjs";
import { directoryWith, say } from "../systems/stage.mjs";
import { turn, Upstream } from "../upstream.mjs";

export const canary = (what) => `CANARY-${what}-5c1e9a77`;

/** How requests for "KIND" fail; any other model answers. */
const failures = {
  denied: 401, limited: 429, broken: 500, wrong: 400,
};

/** All of the request's head: what careless servers put into errors. */
const told = (call) => `no: ${JSON.stringify(call.headers)} ${call.path}`;

const echo = (call) => {
  const { authorization = "none" } = call.headers;
  return { "x-debug": authorization, "www-authenticate": authorization };
};

function script(call) {
  const kind = /denied|limited|broken|wrong|plain|midway/
    .exec(`${call.model} ${call.path}`)?.[0];
  if (kind === "midway" && call.dialect) {
    const events = call.dialect.events(turn([{ text: "Well, well." }]),
      { id: "x", model: "m" });
    call.head();
    for (const { bytes } of events.slice(0, 3)) call.response.write(bytes);
    return call.response.end(
      call.dialect.streamError("overloaded", told(call)));
  }
  if (kind === "plain")
    return call.raw(502, { "content-type": "text/plain" }, told(call));
  if (!kind) return say({ reply: turn([{ text: "Hello!" }]) }, call);
  const body = call.dialect?.error("invalid", told(call)).body ??
    { error: { message: told(call) } };
  return call.whole(failures[kind], body, echo(call));
}

/** Backends of the configuration, by the dialect they speak. */
export const backends = Object.fromEntries(
  every.map(({ name }) => [name, `up-${name}`]));

const providers = {
  "openai-chat": ["openai", "/v1"], claude: ["anthropic", ""],
  "openai-responses": ["openai-responses", "/v1"], gemini: ["gemini", ""],
  bedrock: ["bedrock-claude", ""], "bedrock-converse": ["bedrock", ""],
};

// Where each backend's key is written: file, environment, .env.
const places = [
  (name) => canary(`file-${name}`),
  (name) => `\${ENVIRONMENT_${name.replaceAll("-", "_")}}`,
  (name) => `\${DOTENV_${name.replaceAll("-", "_")}}`,
];
const variables = (prefix) => Object.fromEntries(every.map(({ name }) => [
  `${prefix}_${name.replaceAll("-", "_")}`,
  canary(`${prefix.toLowerCase()}-${name}`)]));

const environment = {
  PROXY_API_KEY: canary("proxy-api-key"), ...variables("ENVIRONMENT"),
};

/** No limit that counts but those that rows ask for. */
const limits = {
  enabled: true,
  limits: { requests_per_minute: 100000, tokens_per_minute: 100000000 },
  overrides: {
    per_model: { "openai-chat.scarce": { requests_per_minute: 1 } },
    per_key: { [canary("scarce-client")]: { requests_per_minute: 1 } },
  },
};

function configOf(upstream, log) {
  const config = {
    server: {
      host: "127.0.0.1", port: 0, backend_paths: true,
      client_keys: [canary("client"), canary("scarce-client")],
      client_access_keys: [canary("access-key")],
      cors: { origins: ["https://app.example.com"] },
    },
    log: { level: "debug", ...log },
    rate_limiting: limits,
    backends: {},
    models: {},
  };
  for (const [index, { name }] of every.entries()) {
    const [provider, path] = providers[name];
    const backend = backends[name];
    config.backends[backend] = {
      provider, base_url: upstream.url + path,
      api_key: places[index % 3](name),
    };
    config.models[`${name}.*`] = { backend, model: "*" };
  }
  // Credentials that are no key: signed requests, headers, parts of a URL.
  config.backends["up-signed"] = {
    provider: "bedrock-claude", base_url: upstream.url,
    access_key_id: "AKIAEXAMPLE", secret_access_key: canary("aws-secret"),
    session_token: canary("aws-session"),
  };
  config.backends["up-headers"] = {
    base_url: `${upstream.url}/v1`,
    headers: { "x-internal": canary("header-value") },
  };
  config.backends["up-query"] = {
    base_url: `${upstream.url}/v1`, query: `code=${canary("query-value")}`,
  };
  config.backends["up-dead"] = {
    base_url: "http://127.0.0.1:1/v1", api_key: canary("dead-key"),
    query: `code=${canary("dead-query")}`,
  };
  config.backends["up-client"] = {
    base_url: `${upstream.url}/v1`, pass_credentials: true,
  };
  for (const name of ["signed", "headers", "query", "dead", "client"])
    config.models[`${name}.*`] = { backend: `up-${name}`, model: "*" };
  return yaml(config);
}

/** `log`: that section of the file. */
export function secretStage(log) {
  const it = {
    /** Everything the proxy wrote. */
    get written() {
      const file = log.file
        ? readFileSync(join(it.directory, log.file), "utf8") : "";
      return it.proxy.output + file;
    },
    /** What a command of the program prints about the same files. */
    async command(args) {
      const { exit, text } = new Proxy(it.directory, args, environment);
      const [code] = await exit;
      return { code, output: text.stdout + text.stderr };
    },
  };
  before(async () => {
    it.upstream = await Upstream.start();
    it.upstream.add(script, "*");
    it.directory = directoryWith({
      "config.yaml": configOf(it.upstream, log),
      ".env": Object.entries(variables("DOTENV"))
        .map(([name, value]) => `${name}=${value}\n`).join(""),
    });
    it.proxy = new Proxy(it.directory, ["--config", "config.yaml"],
      environment);
    await it.proxy.listening();
  });
  after(async () => {
    await it.proxy?.stop();
    await it.upstream?.stop();
    if (it.upstream?.failures.length) throw it.upstream.failures[0];
  });
  return it;
}
