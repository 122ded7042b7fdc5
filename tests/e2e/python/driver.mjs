// One SDK in one long-lived Python: jobs go in as lines, see jobs.py, and
// answers come out in the same order.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { scratch, within } from "../harness.mjs";
import { pythonEnvironment } from "./packages.mjs";

/** What an SDK raised. */
export class PythonError extends Error {
  constructor({ status, message, type, trace }) {
    super(message);
    this.stack = `${trace}${super.stack}`;
    Object.assign(this, { status, type });
  }
}

class Driver {
  constructor(file, env) {
    const home = scratch();
    // No key, profile, proxy or package of the user: it has no environment
    // and another home. -B leaves nothing behind in these folders.
    this.child = spawn("python3", ["-B", join(import.meta.dirname, file)], {
      cwd: home, stdio: ["pipe", "pipe", "inherit"],
      env: {
        PATH: process.env.PATH, HOME: home, TMPDIR: home, LC_ALL: "C.UTF-8",
        AWS_EC2_METADATA_DISABLED: "true", ...env,
      },
    });
    this.kill = () => this.child.kill("SIGKILL");
    process.on("exit", this.kill);
    this.exit = once(this.child, "close");
    this.child.stdin.on("error", () => {});  // then no answer comes either
    this.lines =
      createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line it prints; waits for the one before. */
  async line() {
    const { value, done } = await within(this.lines.next(), "a driver's line");
    if (done) throw new Error(`a driver ended: ${await this.exit}`);
    return JSON.parse(value);
  }

  async ask(job) {
    this.child.stdin.write(`${JSON.stringify(job)}\n`);
    const answer = await this.line();
    if (answer.error) throw new PythonError(answer.error);
    return answer;
  }

  async stop() {
    this.child.stdin.end();
    await within(this.exit, "exit of a driver").finally(this.kill);
    process.off("exit", this.kill);
  }
}

/** A driver that starts when it is first asked for. */
export function driver(file, module) {
  let started;
  const start = async () => {
    const env = await pythonEnvironment(module);
    if (!env) return undefined;
    const it = new Driver(file, env);
    it.version = (await it.line()).version;
    return it;
  };
  return {
    /** undefined: Python has no such package. */
    get: () => started ??= start(),
    stop: async () => (await started)?.stop(),
  };
}
