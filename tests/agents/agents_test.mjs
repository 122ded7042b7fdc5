// Real agents through the real proxy to every upstream dialect: a text turn,
// a turn with a tool that reads a file, and a loop of at least five turns
// that edits one, with the proxy started anew in the middle of it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";

import { every } from "../e2e/dialects/index.mjs";
import { backendsFor, Proxy, scratch } from "../e2e/harness.mjs";
import { turn, Upstream } from "../e2e/upstream.mjs";
import { agents, drive } from "./agents.mjs";
import { Tap } from "./tap.mjs";

const transcripts = resolve(import.meta.dirname, "transcripts");
const table = [];

/** Everything the upstream was told by tools so far. */
const results = (call) => call.view.messages
  .flatMap(({ parts }) => parts).filter((part) => part.result)
  .map(({ result }) => result);

/** A call of one of the agent's tools, as the upstream's dialect has it. */
function callTo(call, tool, id) {
  const { tools } = call.view;
  const found = tools.find(({ name }) => name === tool.name);
  assert.ok(found,
    `${tool.name} is not among ${tools.map(({ name }) => name)}`);
  const { name, namespace } = found;
  if (found.free) return { call: { id, name, namespace, free: tool.free } };
  // Elsewhere a tool with free text is a function with one string.
  const args = tool.free === undefined ? tool.args : { input: tool.free };
  return { call: { id, name, namespace, args } };
}

/** Plays `steps` tool calls, then says what the last result held. */
const player = (steps) => (call) => {
  const seen = results(call);
  // Agents also ask on the side, for titles and the like: without tools.
  if (!call.view.tools?.length) return call.turn(turn([{ text: "A title" }]));
  if (seen.length < steps.length)
    return call.turn(turn([
      { text: `Step ${seen.length + 1}.` },
      callTo(call, steps[seen.length], `call_${seen.length}`)]));
  return call.turn(turn([{ text: `Done: ${seen.at(-1)?.text ?? "hello"}` }]));
};

/** Starts the proxy anew before the third request and every other after. */
function restarting(tap) {
  let asked = 0;
  return async () => {
    asked += 1;
    if (asked > 2 && asked % 2 === 1) await tap.restart();
  };
}

/** One cell: an agent, an upstream dialect, what the upstream does. */
async function play(agent, to, scenario, script, options = {}) {
  const upstream = await Upstream.start();
  const base = backendsFor(upstream);
  const config = { ...base,
    models: { "*": { ...base.models[`${to.name}/*`], model: "*" } } };
  upstream.add(script, "*");
  const tap = await Tap.start(() => Proxy.start({ config }));
  if (options.restarts) tap.before = restarting(tap);
  let outcome = "failed";
  try {
    const answer = await drive(agent,
      { url: tap.url, folder: options.folder ?? scratch(), ...options });
    assert.equal(answer.failed, options.fails ?? false,
      `${answer.text}\n${answer.stdout}\n${answer.stderr}`.slice(0, 4000));
    assert.deepEqual(upstream.failures, []);
    outcome = "pass";
    return { answer, calls: upstream.calls };
  } finally {
    table.push([agent.name, scenario, to.name, outcome]);
    const folder = join(transcripts, agent.name.replace(" ", "_"));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${scenario}-${to.name}.json`),
      JSON.stringify({
        client: tap.exchanges,
        upstream: upstream.calls.map(({ method, path, json }) =>
          ({ method, path, json })),
      }, null, 2));
    await tap.stop();
    await upstream.stop();
  }
}

for (const agent of agents)
  for (const to of every) {
    test(`${agent.name} -> ${to.name}: text`, async () => {
      const { answer } = await play(agent, to, "text",
        player([]), { prompt: "Say hello." });
      assert.match(answer.text, /Done: hello/);
    });

    test(`${agent.name} -> ${to.name}: reads a file`, async () => {
      const folder = scratch();
      const file = join(folder, "note.txt");
      writeFileSync(file, "The word is marzipan.\n");
      const { answer } = await play(agent, to, "read",
        player([agent.tools.read(file)]),
        { prompt: "Which word is in note.txt?", folder });
      assert.match(answer.text, /marzipan/);
    });

    test(`${agent.name} -> ${to.name}: told what is wrong`, async () => {
      const { answer } = await play(agent, to, "error",
        (call) => call.error("invalid", "The moon is in the wrong house."),
        { prompt: "Say hello.", fails: true });
      assert.match(answer.stdout + answer.stderr,
        /The moon is in the wrong house\./);
    });

    test(`${agent.name} -> ${to.name}: waits and tries again`, async () => {
      const say = player([]);
      const { answer, calls } = await play(agent, to, "again",
        (call) => call.round ? say(call)
          : call.error("rate_limited", "Slow down.", { "retry-after": "1" }),
        { prompt: "Say hello." });
      assert.match(answer.text, /Done: hello/);
      assert.ok(calls.length >= 2);
    });

    test(`${agent.name} -> ${to.name}: edits a file, proxy restarted`,
      async () => {
        const folder = scratch();
        const file = join(folder, "list.txt");
        writeFileSync(file, "one\ntwo\nthree\n");
        const { read, edit } = agent.tools;
        const { calls } = await play(agent, to, "edit", player([
          read(file), edit(file, "two", "2"), read(file),
          edit(file, "three", "3"), read(file)]),
        {
          prompt: "Write the numbers above one as digits.", folder,
          restarts: true,
        });
        assert.equal(readFileSync(file, "utf8"), "one\n2\n3\n");
        assert.ok(calls.length >= 6);
      });
  }

after(() => {
  for (const { name, version } of agents)
    if (!name.includes(" ")) console.log(`  ${name} ${version()}`);
  const rows = {};
  for (const [agent, scenario, to, outcome] of table)
    (rows[`${agent.padEnd(23)} ${scenario.padEnd(6)}`] ??= [])
      .push(`${to}: ${outcome}`);
  for (const [name, cells] of Object.entries(rows))
    console.log(`  ${name} ${cells.join("  ")}`);
});
