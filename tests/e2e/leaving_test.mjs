// Ends before the end: clients that leave, and a proxy that is told to stop.
import assert from "node:assert/strict";
import { test } from "node:test";

import { rawOf, raws } from "./clients/index.mjs";
import { eventsOf, post } from "./clients/raw.mjs";
import { dialects } from "./dialects/index.mjs";
import { backendsFor, gate, Proxy, within } from "./harness.mjs";
import { ask, forEach, stage } from "./stage.mjs";
import { turn } from "./upstream.mjs";

const it = stage();

// When a client leaves: how far the upstream got before it fell silent.
const silences = {
  "before the head": { stream: true, script: (call) => call.silence() },
  "after the head": {
    stream: true,
    script: (call) => {
      call.head();
      return call.silence();
    },
  },
  "in the middle": {
    stream: true, text: "one",
    script: (call) => call.turn(turn([{ text: "one two" }]),
      { until: ({ text }) => text?.includes("two"), end: "silence" }),
  },
  "while the whole answer is due":
    { stream: false, script: (call) => call.silence() },
};

/** Reads until the text was seen; leaves the stream open. */
async function readText(client, response, text) {
  for await (const event of eventsOf(client.dialect, response))
    if (client.dialect.textOf(event)?.includes(text)) return;
}

for (const [name, row] of Object.entries(silences))
  forEach(raws, (client, to) =>
    test(`${client.name} -> ${to.name}: the client leaves, ${name}`,
      async () => {
        const { model, alias } = it.script(to, row.script);
        const leave = new AbortController();
        const answer = post(client.dialect, it.session(client),
          ask(client, alias, { stream: row.stream }),
          { signal: leave.signal });
        const gone = answer.then(async (response) => {
          if (row.text) await readText(client, response, row.text);
        });
        const call = await within(it.upstream.arrival(model), "the call");
        if (row.text) await within(gone, "the first word");
        leave.abort();
        await gone.catch(() => {});
        const { aborted } = await within(call.closed,
          "the upstream connection to close", 5_000);
        assert.ok(aborted);
        const entry = await it.proxy.logged(({ model: m }) => m === alias);
        assert.equal(entry.outcome, "cancelled");
        assert.equal(entry.status, 499);
      }));

test("after SIGTERM a stream may end in peace", async () => {
  const [to] = dialects;
  const client = rawOf(to);
  const proxy = await Proxy.start({ config: backendsFor(it.upstream) });
  const release = gate();
  const { alias } = it.script(to, (call) => call.turn(
    turn([{ text: "one two" }]),
    { hold: ({ text }) => text === "two" && release.promise }));
  let stopped;
  let text = "";
  const stream =
    client.events({ url: proxy.url }, ask(client, alias));
  for await (const event of stream) {
    text += to.textOf(event) ?? "";
    if (to.textOf(event)) stopped ??= proxy.stop();
    if (stopped) release.open();
  }
  assert.equal(text, "one two");
  await stopped;
});

test("after SIGTERM a stream without end is cut off", async () => {
  const [to] = dialects;
  const client = rawOf(to);
  const proxy = await Proxy.start({ config: backendsFor(it.upstream) });
  const { model, alias } = it.script(to, (call) => call.silence());
  const answer = post(to, { url: proxy.url },
    ask(client, alias, { stream: true }))
    .then((response) => response.text()).catch(() => {});
  const call = await within(it.upstream.arrival(model), "the call");
  await proxy.stop();
  assert.ok((await within(call.closed, "the upstream to be left")).aborted);
  await within(answer, "the client to be told or cut off");
});
