// A listener between agent and proxy that keeps both sides of what is said,
// so that a failure can be read afterwards, and that can start the proxy anew
// between two requests without the agent's knowing.
import { once } from "node:events";
import { createServer, request as ask } from "node:http";

const longest = 200_000;

export class Tap {
  /** `start` makes a proxy. */
  static async start(start) {
    const tap = new Tap(start);
    tap.proxy = await start();
    tap.server.listen(0, "127.0.0.1");
    await once(tap.server, "listening");
    return tap;
  }

  constructor(start) {
    this.start = start;
    this.exchanges = [];
    /** Awaited before each request is passed on. */
    this.before = async () => {};
    this.server = createServer((request, response) => {
      this.pass(request, response).catch(() => response.destroy());
    });
    this.server.on("upgrade", (request, socket) => {
      socket.end("HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n");
    });
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  /** Ends the proxy and starts another one in its place. */
  async restart() {
    await this.proxy.stop();
    this.proxy = await this.start();
  }

  async pass(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    await this.before(request);
    const body = Buffer.concat(chunks);
    const exchange = {
      method: request.method, path: request.url,
      request: body.toString("utf8").slice(0, longest), answer: "",
    };
    this.exchanges.push(exchange);
    const { host, ...headers } = request.headers;
    const passed = ask(`${this.proxy.url}${request.url}`,
      { method: request.method, headers });
    passed.end(body);
    response.on("close", () => passed.destroy());
    const [answer] = await once(passed, "response");
    exchange.status = answer.statusCode;
    const { connection, ...own } = answer.headers;
    response.writeHead(answer.statusCode, own);
    for await (const chunk of answer) {
      if (exchange.answer.length < longest)
        exchange.answer += chunk.toString("utf8");
      response.write(chunk);
    }
    response.end();
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await this.proxy.stop();
  }
}
