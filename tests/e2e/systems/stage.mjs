// One other proxy's users: its vendors as scriptable upstreams, our program
// configured as theirs was, and the code blocks of its documentation, kept
// as files in a folder of its name.
//
// The blocks are run as they are but for hosts and ports, and these:
// - A `#` line amid a command continued by backslashes ends the command in
//   every shell, so such lines are dropped from commands.
// - `| jq` is dropped where there is no jq.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import {
  mkdirSync, readFileSync, symlinkSync, writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { after, before } from "node:test";

import { binary, deadline, Proxy, scratch } from "../harness.mjs";
import { turn, Upstream } from "../upstream.mjs";

const has = (program) => {
  try {
    execFileSync("bash", ["-c", `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
};
const hasCurl = has("curl");
const hasJq = has("jq");

/** `text` with each key of `places` replaced by its value. */
export function placed(text, places) {
  let out = text;
  for (const [from, to] of Object.entries(places))
    out = out.replaceAll(from, to);
  return out;
}

/** A block that runs curl, as bash takes it. */
const command = (text) => {
  const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
  return hasJq ? lines.join("\n") : lines.join("\n").replace(/ \| jq$/gm, "");
};

/** Runs a program to its end; its exit code must be 0. */
export function finish(program, args,
  { env, cwd, input = "", timeout = deadline } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, {
      cwd, timeout, maxBuffer: 64 << 20,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    }, (error, stdout, stderr) => error
      ? reject(Object.assign(error, { stdout, stderr }))
      : resolve({ stdout, stderr }));
    child.stdin.end(input);
  });
}

// --- vendors --------------------------------------------------------------

const jsonType = { "content-type": "application/json" };

/** Says `vendor.reply` in any dialect; keeps the bytes as `call.sent`. */
export function say(vendor, call) {
  if (!call.dialect) {
    call.sent = JSON.stringify({ object: "thing", path: call.path });
    return call.raw(200, jsonType, call.sent);
  }
  // Not `call.view`, which is strict about what the examples leave out.
  const meta = { id: "vendor", model: call.model, usage: true };
  const { dialect, json, path } = call;
  if (!(dialect.place?.(path)?.stream ?? json.stream)) {
    call.sent = JSON.stringify(dialect.answer(vendor.reply, meta));
    return call.raw(200, jsonType, call.sent);
  }
  const events = dialect.events(vendor.reply, meta);
  call.sent = events.map(({ bytes }) => bytes).join("");
  return call.stream(events);
}

/** An upstream that answers "Hello!" to every model without a script. */
async function startVendor() {
  const vendor = await Upstream.start();
  vendor.reply = turn([{ text: "Hello!" }]);
  vendor.add((call) => say(vendor, call), "*");
  /** What came since it was last asked. */
  vendor.taken = () => vendor.calls.splice(0);
  /** Likewise; it must have been one call. */
  vendor.only = () => {
    const calls = vendor.taken();
    assert.equal(calls.length, 1, `${calls.length} calls`);
    return calls[0];
  };
  return vendor;
}

// --- the program ----------------------------------------------------------

/** A folder that finds the program as `llm-proxy`. */
let folder;
export function searchPath() {
  if (!folder) {
    folder = scratch();
    symlinkSync(binary(), join(folder, "llm-proxy"));
  }
  return `${folder}:${process.env.PATH}`;
}

/** Where files of these names have these texts. */
export function directoryWith(files = {}) {
  const directory = scratch();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/**
 * Starts it: by `shell`, the command of a block, or plainly. PORT is the one
 * thing it is told beyond what the block says, so that ports do not clash.
 */
export async function started({ shell, files, directory, env }) {
  const place = directory ?? directoryWith(files);
  const all = { PORT: "0", PATH: searchPath(), ...env };
  const proxy = shell
    ? new Proxy(place, ["-c", shell], all, "bash")
    : new Proxy(place, [], all);
  await proxy.listening();
  proxy.directory = place;
  return proxy;
}

/** Starts it, calls `use` with it, and stops it whatever happens. */
export async function withProxy(options, use) {
  const proxy = await started(options);
  try {
    return await use(proxy);
  } finally {
    await proxy.stop();
  }
}

/**
 * A system's vendors and the program. `host` is where its documentation has
 * the proxy; `start(at)` says how it is started, given the vendors.
 */
export function systemStage(name, { host, vendors, start }) {
  const it = {
    at: {},
    text: (file) =>
      readFileSync(join(import.meta.dirname, name, file), "utf8"),
    /** A block that names the proxy's address. */
    block: (file, proxy = it.proxy) =>
      placed(it.text(file), { [host]: `127.0.0.1:${proxy.port}` }),
    /** Runs a block, or `text`; undefined where there is no curl. */
    async curl(file, { env, proxy, text, places = {} } = {}) {
      if (!hasCurl) return undefined;
      const script = placed(text ?? it.block(file, proxy), places);
      return (await finish("bash", ["-c", command(script)],
        { env, cwd: scratch() })).stdout;
    },
    send: (path, body, headers = {}, proxy = it.proxy) =>
      fetch(proxy.url + path, {
        method: "POST", headers: { ...jsonType, ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
  };
  before(async () => {
    for (const vendor of vendors) it.at[vendor] = await startVendor();
    it.proxy = await started(start(it.at, it));
  });
  after(async () => {
    await it.proxy?.stop();
    const all = Object.values(it.at);
    for (const vendor of all) await vendor.stop();
    for (const vendor of all) assert.deepEqual(vendor.failures, []);
  });
  return it;
}

export const noCurl = "cannot: no curl";
