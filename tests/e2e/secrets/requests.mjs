// The requests of secrets_test.mjs: every endpoint, each way it can go.
//   { name, method, path, headers, body, status, ok, mayEcho }
// mayEcho: the upstream answered 2xx and its bytes are passed on as they are.
import { every, named } from "../dialects/index.mjs";
import { backends, canary } from "./stage.mjs";

/** As a client presents itself; with credentials of its own besides. */
const ours = { authorization: `Bearer ${canary("client")}` };
const strewn = {
  ...ours, cookie: `session=${canary("sent-cookie")}`,
  "x-api-key": canary("sent-x-api-key"), "api-key": canary("sent-api-key"),
  "x-goog-api-key": canary("sent-goog-key"),
  "proxy-authorization": `Basic ${canary("sent-proxy")}`,
};
const one = { ...ours, "x-api-key": canary("sent-x-api-key") };
const key = `key=${canary("sent-query")}`;

const places = {
  "openai-chat": () => "/v1/chat/completions",
  claude: () => "/v1/messages",
  "openai-responses": () => "/v1/responses",
  gemini: (model, stream) => `/v1beta/models/${model}:${
    stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
  bedrock: (model, stream) => `/model/${model}/${
    stream ? "invoke-with-response-stream" : "invoke"}`,
  "bedrock-converse": (model, stream) => `/model/${model}/${
    stream ? "converse-stream" : "converse"}`,
};

const words = [{ role: "user", parts: [{ text: "Go on." }] }];

function chat(dialect, model, { stream = false, headers = strewn } = {}) {
  const path = places[dialect.name](model, stream);
  const body = dialect.request(
    { model, messages: words, maxTokens: 9, stream });
  if (dialect.place) delete body.model;
  if (dialect.name === "bedrock")
    body.anthropic_version = "bedrock-2023-05-31";
  return {
    method: "POST", headers, body,
    path: `${path}${path.includes("?") ? "&" : "?"}${key}`,
  };
}

/** Every dialect to every backend, whole and as a stream. */
function* chats() {
  for (const client of every)
    for (const to of every)
      for (const stream of [false, true])
        for (const kind of ["fine", "denied", "plain", "midway"]) {
          if (kind === "midway" && (!stream || client === to)) continue;
          yield {
            name: `${client.name} -> ${to.name}${
              stream ? " stream" : ""}: ${kind}`,
            ...chat(client, `${to.name}.${kind}`, { stream }),
            ok: ["fine", "midway"].includes(kind),
          };
        }
}

const [openai] = every;

function* otherBackends() {
  for (const backend of ["signed", "headers", "query", "client", "dead"])
    for (const kind of ["fine", "denied", "plain"])
      for (const stream of [false, true])
        yield {
          name: `backend ${backend}${stream ? " stream" : ""}: ${kind}`,
          ...chat(openai, `${backend}.${kind}`, { stream }),
          ok: kind === "fine" && backend !== "dead",
        };
  for (const stream of [false, true])
    for (const kind of ["denied", "plain"])
      yield {
        name: `backend client${stream ? " stream" : ""}, one key: ${kind}`,
        ...chat(openai, `client.${kind}`, { stream, headers: one }),
        path: places["openai-chat"](), ok: false,
      };
  for (const kind of ["limited", "broken", "wrong"])
    yield {
      name: `openai-chat -> claude: ${kind}`,
      ...chat(openai, `claude.${kind}`), ok: false,
    };
}

const below = (backend, path) => `/${backend}${path}`;

function* forwarded() {
  for (const { name } of every)
    for (const kind of ["fine", "denied", "plain"])
      for (const [who, headers] of [["our key", ours],
        ["the client's key", one], ["the client's keys", strewn]])
        yield {
          name: `prefix of ${name}, ${who}: ${kind}`, method: "POST",
          path: below(backends[name], `/v1/things/${kind}?${
            headers === strewn ? key : "a=b"}`),
          headers, body: { x: 1 }, ok: kind === "fine",
          mayEcho: kind === "fine",
        };
  for (const stream of [false, true])
    for (const kind of ["fine", "denied"])
      yield {
        name: `prefix, chat${stream ? " stream" : ""}: ${kind}`,
        ...chat(openai, kind, { stream, headers: ours }),
        path: below(backends["openai-chat"], "/v1/chat/completions"),
        ok: kind === "fine", mayEcho: kind === "fine",
      };
  for (const backend of ["up-headers", "up-query", "up-signed", "up-dead"])
    yield {
      name: `prefix of ${backend}: denied`, method: "POST", ok: false,
      path: below(backend, "/v1/things/denied"), headers: ours,
      body: { x: 1 },
    };
}

function* providerChats() {
  for (const { name } of every)
    for (const kind of ["fine", "denied", "plain"])
      for (const stream of [false, true])
        for (const [who, headers] of [["our key", ours],
          ["the client's key", strewn]])
          yield {
            name: `/v1/chat/${backends[name]}${
              stream ? " stream" : ""}, ${who}: ${kind}`,
            method: "POST", path: `/v1/chat/${backends[name]}?${key}`,
            headers, ok: kind === "fine", mayEcho: stream && kind === "fine",
            body: {
              model: kind, max_tokens: 9, stream,
              messages: [{ role: "user", content: "Go on." }],
            },
          };
}

function* counts() {
  for (const [name, path] of [
    ["claude", () => "/v1/messages/count_tokens"],
    ["openai-responses", () => "/v1/responses/input_tokens"],
    ["gemini", (model) => `/v1beta/models/${model}:countTokens`]])
    for (const to of [name, "openai-chat"])
      for (const kind of ["fine", "denied"]) {
        const model = `${to}.${kind}`;
        yield {
          name: `${name}: tokens of ${model}`,
          ...chat(named(name), model), path: `${path(model)}?${key}`,
        };
      }
}

function* rest() {
  const get = (path, more) => ({
    name: `GET ${path}`, method: "GET", path: `${path}?${key}`,
    headers: strewn, ...more,
  });
  for (const path of ["/v1/models", "/v1beta/models", "/health", "/healthz",
    "/v1/models/openai-chat.x", "/v1/responses/resp_x", "/v1/nothing", "/",
    "/v1/messages", "/v1/chat/completions"]) yield get(path);
  for (const path of ["/", "/health", "/api/hello"])
    yield get(path, { name: `HEAD ${path}`, method: "HEAD" });
  yield get("/v1/responses/resp_x",
    { name: "DELETE a response", method: "DELETE" });
  yield get("/v1/messages", { name: "PUT", method: "PUT", body: {} });
  yield {
    ...get("/api/event_logging/batch"), name: "telemetry", method: "POST",
    body: { events: [] }, ok: true,
  };
  for (const origin of ["https://app.example.com", "https://evil.example"])
    yield get("/v1/messages", {
      name: `OPTIONS from ${origin}`, method: "OPTIONS",
      headers: {
        ...strewn, origin, "access-control-request-method": "POST",
      },
    });
  for (const client of every) {
    yield {
      name: `${client.name}: unknown model`,
      ...chat(client, "unheard-of"), ok: false,
    };
    for (const [what, body] of [["bad JSON", '{"model": nope'], ["none", ""]])
      yield {
        name: `${client.name}: ${what}`,
        ...chat(client, "openai-chat.x"), body, ok: false,
      };
    yield {
      name: `${client.name}: a wrong key`, ok: false,
      ...chat(client, "openai-chat.x", {
        headers: {
          ...strewn, authorization: `Bearer ${canary("wrong-key")}`,
        },
      }),
    };
  }
  const authorization = `AWS4-HMAC-SHA256 Credential=${canary("access-key")
  }/20260102/us-east-1/bedrock/aws4_request, SignedHeaders=host, ` +
    `Signature=${canary("sent-signature")}`;
  for (const kind of ["fine", "denied"])
    yield {
      name: `a signed request: ${kind}`, ok: kind === "fine",
      ...chat(named("bedrock"), `bedrock.${kind}`,
        { headers: { authorization } }),
    };
  for (const [what, model, headers] of [
    ["model", "openai-chat.scarce", ours],
    ["client's key", "openai-chat.x",
      { authorization: `Bearer ${canary("scarce-client")}` }],
  ])
    for (const status of [200, 429])
      yield {
        name: `limit of a ${what}: ${status}`, status,
        // Not with a key in the query: who has an own one is counted by it.
        ...chat(openai, model, { headers }), path: places["openai-chat"](),
      };
}

export const requests = [
  ...chats(), ...otherBackends(), ...forwarded(), ...providerChats(),
  ...counts(), ...rest(),
];
