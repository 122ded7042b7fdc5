// The `anthropic` package for Python: the system's, or one that pip puts
// beside these tests, once.
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { finish } from "./stage.mjs";

const version = "2.11.0";
const folder =
  join(import.meta.dirname, "..", ".python", `anthropic-${version}`);

const works = (env) =>
  finish("python3", ["-c", "import anthropic"], { env })
    .then(() => true, () => false);

async function install() {
  // Elsewhere first: an install that broke off must not look like a whole.
  const half = `${folder}.${process.pid}`;
  try {
    await finish("python3", ["-m", "pip", "install", "--quiet",
      "--disable-pip-version-check", "--retries", "1", "--timeout", "10",
      "--target", half, `anthropic==${version}`]);
    renameSync(half, folder);
  } catch {
    // No pip, no network, or another run was first: the caller looks.
    rmSync(half, { recursive: true, force: true });
  }
}

let found;

/** The environment in which Python has the package; undefined: it cannot. */
export function pythonEnvironment() {
  found ??= (async () => {
    const own = { PYTHONPATH: folder };
    if (!existsSync(folder)) {
      if (await works({})) return {};
      await install();
    }
    return await works(own) ? own : undefined;
  })();
  return found;
}
