// Signatures by the AWS SDK's own signer, as the vectors of
// tests/unit/sigv4_test.cc. `node sigv4_vectors.mjs` prints the file.
import { createHash, createHmac } from "node:crypto";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";

// The SDK takes any hash; Node's own is as good as any.
class Sha256 {
  constructor(key) {
    this.hash = key ? createHmac("sha256", key) : createHash("sha256");
  }
  update(data) {
    this.hash.update(data);
  }
  async digest() {
    return this.hash.digest();
  }
}

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const TOKEN = "IQoJb3JpZ2luX2VjE//////////wEaCXVzLWVhc3QtMSJ==";
const HOST = "bedrock-runtime.us-east-1.amazonaws.com";
const JSON_TYPE = { "content-type": "application/json" };
const BODY = '{"messages":[{"role":"user","content":[{"text":"hi"}]}]}';

// One awkward thing each: path, query, headers, body, token, region.
const CASES = [
  { name: "plain", path: "/model/m/converse" },
  { name: "colon in the id", path: "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse" },
  { name: "raw colon in the id", path: "/model/anthropic.claude-v1:0/invoke" },
  { name: "ARN", path: "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x/converse-stream" },
  { name: "UTF-8 and marks", path: "/model/a%20b%2Bc%252F%28x%29%21%2A%27~%C3%A9/invoke" },
  { name: "raw marks", path: "/model/a(b)!*'~/invoke" },
  { name: "empty segments", path: "/prefix//model///m/invoke" },
  { name: "dot segments", path: "/prefix/./x/../model/m/invoke" },
  { name: "trailing slash", path: "/model/m/invoke/" },
  { name: "root", path: "/" },
  { name: "long prefix", path: "/proxy/v1/aws/model/m/invoke-with-response-stream" },
  { name: "at and comma", path: "/model/a@b,c;d=e/invoke" },
  { name: "query", path: "/model/m/invoke", query: { b: "2", a: "1" } },
  { name: "query with encoded values", path: "/model/m/invoke", query: { "api-version": "2024-10-21 preview", z: "\u00e4/\u00f6" } },
  { name: "query without value", path: "/model/m/invoke", query: { flag: "" } },
  { name: "repeated query", path: "/model/m/invoke", query: { a: ["2", "1"] } },
  { name: "session token", path: "/model/m/converse", token: TOKEN },
  { name: "session token and colon", path: "/model/eu.m-v1%3A0/converse", token: TOKEN },
  { name: "header with blanks", path: "/model/m/invoke", headers: { "x-amzn-bedrock-trace": "   ENABLED    FULL  " } },
  { name: "headers in mixed case", path: "/model/m/invoke", headers: { "X-Amzn-Bedrock-Accept": "application/json", Accept: "application/json" } },
  { name: "unsigned headers", path: "/model/m/invoke", headers: { "user-agent": "a b", "x-amzn-trace-id": "Root=1", connection: "keep-alive", "cache-control": "no-cache", "proxy-authorization": "x", "sec-fetch-mode": "cors" } },
  { name: "accept-encoding", path: "/model/m/invoke", headers: { "accept-encoding": "identity", accept: "application/vnd.amazon.eventstream" } },
  { name: "empty body", path: "/model/m/invoke", body: "" },
  { name: "UTF-8 body", path: "/model/m/invoke", body: '{"text":"\u00e5 \u2603 \ud834\udd1e"}' },
  { name: "large body", path: "/model/m/invoke", body: "x".repeat(70000) },
  { name: "other region", path: "/model/m/converse", region: "eu-central-1" },
  { name: "gov cloud", path: "/model/m/converse", region: "us-gov-west-1" },
  { name: "port", path: "/model/m/converse", host: "127.0.0.1:8443" },
  { name: "end of a year", path: "/model/m/converse", time: 1798761599 },
  { name: "leap day", path: "/model/m/converse", time: 1709164800 },
];

const DEFAULT_TIME = 1767323045; // 2026-01-02T03:04:05Z

function wireQuery(query = {}) {
  const pairs = [];
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) {
      pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(one)}`);
    }
  }
  return pairs.join("&");
}

async function vector(given) {
  const row = { host: HOST, region: "us-east-1", time: DEFAULT_TIME, body: BODY, token: "", headers: {}, ...given };
  const signer = new SignatureV4({
    service: "bedrock",
    region: row.region,
    sha256: Sha256,
    credentials: { ...KEYS, ...(row.token ? { sessionToken: row.token } : {}) },
  });
  const headers = { ...JSON_TYPE, ...row.headers };
  const [hostname, port] = row.host.split(":");
  const signed = await signer.sign(
    new HttpRequest({
      method: "POST", protocol: "https:", hostname, port: port && Number(port),
      path: row.path, query: row.query, headers: { host: row.host, ...headers }, body: row.body,
    }),
    { signingDate: new Date(row.time * 1000) },
  );
  const query = wireQuery(row.query);
  return {
    name: row.name,
    url: `https://${row.host}${row.path}${query && "?" + query}`,
    region: row.region, token: row.token, time: row.time, headers, body: row.body,
    authorization: signed.headers.authorization,
  };
}

export async function vectors() {
  const all = [];
  // ASCII only: what is beyond is escaped, which JSON reads the same.
  const escaped = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  for (const row of CASES) {
    const line = JSON.stringify(await vector(row));
    all.push(line.replace(/[^\x00-\x7f]/g, escaped));
  }
  return `[\n${all.join(",\n")}\n]\n`;
}

if (process.argv[1] === import.meta.filename) process.stdout.write(await vectors());
