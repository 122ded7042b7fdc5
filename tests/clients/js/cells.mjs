// As python/cells.py: what the programs here have in common. A cell is an
// async function that throws when something is wrong.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const url = process.env.LLMPROXY_URL;
export const key = "none";
export const model = "demo";
export const greeting = "Greet Z\u00fcrich \u{1f600}!";
export const question = "What is the weather in Oslo?";
export const result = "12 degrees and rain";
/** What `llm-proxy env` printed for this client. */
export const settings = process.env.LLMPROXY_SETTINGS;

export const called = [];

export function getWeather({ city }) {
  called.push(city);
  return result;
}

/** The demo repeats what it was told. */
export function greeted(text) {
  assert.match(text ?? "", /Z\u00fcrich \u{1f600}/u);
}

export function greetedInPieces(pieces) {
  const said = pieces.filter(Boolean);
  assert.ok(said.length > 1, `not streamed: ${JSON.stringify(said)}`);
  greeted(said.join(""));
}

/** The tool was called for Oslo, and the answer tells its result. */
export function used(text) {
  assert.deepEqual(called, ["Oslo"]);
  assert.match(text ?? "", new RegExp(result));
}

function version(name) {
  const here = dirname(fileURLToPath(import.meta.url));
  const file = join(here, "node_modules", name, "package.json");
  return `${name} ${JSON.parse(readFileSync(file)).version}`;
}

export async function main(cells, ...packages) {
  for (const [cell, body] of Object.entries(cells)) {
    called.length = 0;
    let error = null;
    try {
      await body();
    } catch (failure) {
      error = failure.stack ?? String(failure);
    }
    console.log(JSON.stringify({ cell, error }));
  }
  console.log(JSON.stringify({ versions: packages.map(version) }));
  process.exit(0);
}
