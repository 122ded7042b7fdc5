// The official Python SDKs: the pinned ones, which pip puts beside these
// tests once, or else whatever the system has of them.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { finish } from "../systems/stage.mjs";

/** What is installed, all in one folder. */
const pins = [
  "openai==3.52.0", "anthropic==2.11.0", "google-genai==3.4.0",
  "boto3==1.44.5",
];

const root = join(import.meta.dirname, "..", ".python");
// Its name says what is in it: another pin is another folder.
const folder = join(root, pins.join("+").replaceAll("==", "-"));

// Only one run installs, and the others wait for it. Elsewhere first: an
// install that broke off must not look like a whole. Nothing is built here.
// Not by bash, which reads ~/.bashrc when its input is a socket, as Node's
// pipes are: that may find another Python.
const script = `
  set -e
  folder=$1
  shift
  [ ! -d "$folder" ] || exit 0
  rm -rf "$folder.half"
  python3 -m pip install --quiet --disable-pip-version-check --retries 1 \\
    --timeout 10 --only-binary :all: --target "$folder.half" "$@"
  mv "$folder.half" "$folder"`;

async function install() {
  if (existsSync(folder)) return true;
  mkdirSync(root, { recursive: true });
  try {
    await finish("flock", [join(root, ".lock"), "sh", "-c", script, "sh", folder,
      ...pins], { timeout: 300_000 });
  } catch {
    // No pip, no network, no such Python: the system's, if it has any.
  }
  return existsSync(folder);
}

let installed;
const found = new Map();

async function look(module) {
  installed ??= install();
  const env = await installed ? { PYTHONPATH: folder } : {};
  return finish("python3", ["-c", `import ${module}`], { env })
    .then(() => env, () => undefined);
}

/** The environment in which Python has a module; undefined: it cannot. */
export function pythonEnvironment(module) {
  if (!found.has(module)) found.set(module, look(module));
  return found.get(module);
}
