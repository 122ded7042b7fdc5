// opencode, headless, with the file that `llm-proxy env opencode` prints. It
// always streams and always offers its tools; without them it is asked for
// text alone.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { greeted, greeting, main, settings } from "./cells.mjs";

const program = join(import.meta.dirname,
  "node_modules/opencode-linux-x64/bin/opencode");

const text = settings.split("\n").filter((line) => !line.startsWith("#"));
const config = JSON.parse(text.join("\n"));

function run(question, rest) {
  writeFileSync("opencode.json", JSON.stringify({
    ...config, autoupdate: false, share: "disabled", ...rest,
  }));
  const done = spawnSync(program,
    ["run", "-m", "llm-proxy/demo", "--format", "json", "--print-logs",
      "--log-level", "WARN", question],
    { encoding: "utf8", timeout: 500_000, stdio: ["ignore", "pipe", "pipe"] });
  assert.equal(done.status, 0, done.error?.message ??
    done.stdout + done.stderr);
  return done.stdout.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

const said = (events) => events.filter(({ type }) => type === "text")
  .map(({ part }) => part.text).join("");

const bare = () => greeted(said(run(greeting, { tools: { "*": false } })));

await main({
  text: bare,
  stream: bare,
  tools: () => {
    writeFileSync("note.txt", "The word is heron.\n");
    // The demo calls the tool that is named, about the last word.
    const events = run("Please read note.txt", { permission: "allow" });
    assert.match(said(events), /read said: .*heron/s);
  },
}, "opencode-linux-x64");
