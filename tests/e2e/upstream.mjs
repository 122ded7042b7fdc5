// A scriptable upstream: one loopback server that speaks every dialect of
// dialects/ and does to each request what its script says. A script is an
// async function of one Call; it is chosen by the model asked for, so tests
// can run side by side on one upstream. Nothing here sleeps: what waits,
// waits for a promise of the test or for the connection to close.
//
//   const upstream = await Upstream.start();
//   const model = upstream.add((call) => call.turn({ parts: [...] }));
//   ... ask the proxy for that model ...
//   upstream.of(model)[0].view     what was sent, in neutral terms
import { once } from "node:events";
import { createServer } from "node:http";

import { dialectAt } from "./dialects/index.mjs";

/** Fills in what most turns share. */
export const turn = (parts, rest = {}) => ({
  parts, stop: parts.some((part) => part.call) ? "tool" : "end",
  usage: { input: 20, cached: 8, output: 7 }, ...rest,
});

/** One request at the upstream, and the ways to answer it. */
export class Call {
  constructor(upstream, request, response, body) {
    this.upstream = upstream;
    this.response = response;
    this.method = request.method;
    this.path = request.url;
    this.headers = request.headers;
    this.connection = upstream.connectionOf(request.socket);
    this.body = body;
    this.dialect = dialectAt(request.url);
    this.json = body.length ? JSON.parse(body.toString("utf8")) : undefined;
    // What is no chat (a list of models, a picture) goes by its path.
    this.model = this.dialect?.place?.(request.url).model ??
      this.json?.model ?? request.url;
    this.startedAt = performance.now();
    /** Settles when the exchange is over; `aborted`: the peer left first. */
    this.closed = once(response, "close").then(() => ({
      aborted: !response.writableFinished,
      after: performance.now() - this.startedAt,
    }));
  }

  /** The request in neutral terms. */
  get view() {
    return this.dialect.view(this.json, this.path);
  }

  /** Its place among the requests for the same model, from 0. */
  get round() {
    return this.upstream.of(this.model).indexOf(this);
  }

  get meta() {
    const { model, usage } = this.view;
    return { id: `up${this.connection}x${this.round}`, model, usage };
  }

  /** Answers a turn the way it was asked for: whole, or as a stream. */
  turn(answer, options) {
    return this.view.stream
      ? this.stream(this.dialect.events(answer, this.meta), options)
      : this.whole(200, this.dialect.answer(answer, this.meta));
  }

  whole(status, body, headers = {}) {
    this.raw(status, { "content-type": "application/json", ...headers },
      JSON.stringify(body));
  }

  /** An error in the upstream's own dialect. */
  error(kind, message, headers) {
    const { status, body, headers: own } = this.dialect.error(kind, message);
    this.whole(status, body, { ...own, ...headers });
  }

  raw(status, headers, body) {
    this.response.writeHead(status, headers).end(body);
  }

  head() {
    this.response.writeHead(200, { "content-type": this.dialect.contentType });
    this.response.flushHeaders();
  }

  /**
   * Sends events one by one. `hold(event, index)` is awaited before each.
   * At the first event that `until` picks the stream ends without it:
   * `end` is "clean" (the body just ends), "cut" (half of the event, then
   * the connection is gone), "error" (an error event) or "silence".
   */
  async stream(events, { hold, until = () => false, end } = {}) {
    this.head();
    for (const [index, event] of events.entries()) {
      await hold?.(event, index);
      if (this.response.destroyed) return;
      if (until(event, index)) return this.breakOff(end, event);
      await this.write(event.bytes);
    }
    this.response.end();
  }

  /** Resolves when the bytes were handed on, or the peer is gone. */
  write(bytes) {
    if (this.response.destroyed) return undefined;
    return Promise.race([
      new Promise((resolve) => { this.response.write(bytes, resolve); }),
      this.closed,
    ]);
  }

  async breakOff(end, event) {
    if (end === "silence") return this.silence();
    if (end === "error")
      await this.write(this.dialect.streamError("overloaded", "Overloaded"));
    if (end !== "cut") return this.response.end();
    const bytes = Buffer.from(event.bytes);
    await this.write(bytes.subarray(0, bytes.length >> 1));
    return this.response.destroy();
  }

  /** Says nothing until the peer leaves. */
  async silence() {
    await this.closed;
  }
}

export class Upstream {
  static async start() {
    const upstream = new Upstream();
    upstream.server.listen(0, "127.0.0.1");
    await once(upstream.server, "listening");
    return upstream;
  }

  constructor() {
    this.calls = [];
    /** What went wrong in here; a test file asserts that it stays empty. */
    this.failures = [];
    this.scripts = new Map();
    this.arrivals = new Map();
    this.connections = new Map();
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error) => {
        this.failures.push(error);
        response.destroy();
      });
    });
    // Sockets the proxy keeps are its own business, not Node's timer's.
    this.server.keepAliveTimeout = 0;
    this.server.on("connection", (socket) => this.connectionOf(socket));
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  connectionOf(socket) {
    if (!this.connections.has(socket))
      this.connections.set(socket, this.connections.size);
    return this.connections.get(socket);
  }

  /** Registers a script; returns the model name that reaches it: "*" is
   * for the models that no other is for. */
  add(script, name = `script-${this.scripts.size}`) {
    this.scripts.set(name, script);
    return name;
  }

  /** The calls for a model so far. */
  of(model) {
    return this.calls.filter((call) => call.model === model);
  }

  /** The first call for a model, as soon as it is there. */
  arrival(model) {
    if (!this.arrivals.has(model)) {
      const waiting = {};
      waiting.promise =
        new Promise((resolve) => { waiting.resolve = resolve; });
      this.arrivals.set(model, waiting);
      if (this.of(model).length) waiting.resolve(this.of(model)[0]);
    }
    return this.arrivals.get(model).promise;
  }

  async serve(request, response) {
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;  // the proxy gave up while sending: nothing to answer
    }
    const call = new Call(this, request, response, Buffer.concat(chunks));
    const script = this.scripts.get(call.model) ?? this.scripts.get("*");
    // The proxy itself asks what there is.
    if (!script && call.method === "GET" && /\/models(\?|$)/.test(call.path))
      return response.writeHead(404).end();
    this.calls.push(call);
    this.arrivals.get(call.model)?.resolve(call);
    if (!script) throw new Error(`no script for model ${call.model}`);
    await script(call);
    if (!response.writableEnded && !response.destroyed)
      throw new Error(`the script of ${call.model} left without an answer`);
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}
