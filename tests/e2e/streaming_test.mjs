// Streams as they happen: event by event, through every break, at the
// reader's speed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { clients, rawOf, raws, sdks } from "./clients/index.mjs";
import { eventsOf, post } from "./clients/raw.mjs";
import { records, StreamError } from "./dialects/common.mjs";
import { dialects } from "./dialects/index.mjs";
import { backendsFor, gate, Proxy, until, within } from "./harness.mjs";
import { ask, forEach, stage } from "./stage.mjs";
import { turn } from "./upstream.mjs";

const it = stage();

forEach(clients, (client, to) =>
  test(`${client.name} -> ${to.name}: each event before the next is sent`,
    async () => {
      // The upstream holds each word until the client has the one before.
      const gates = [gate(), gate(), gate()];
      let sent = 0;
      const { alias } = it.script(to, (call) => call.turn(
        turn([{ text: "one two three" }]), {
          hold: async ({ text }) => {
            if (!text) return;
            await gates[sent].promise;
            sent += 1;
          },
        }));
      gates[0].open();
      const seen = [];
      await within((async () => {
        const stream = client.events(it.session(client), ask(client, alias));
        for await (const event of stream) {
          const text = client.dialect.textOf(event);
          if (!text) continue;
          seen.push(text.trim());
          assert.equal(sent, seen.length);
          gates[seen.length]?.open();
        }
      })(), "an event that the upstream already sent");
      assert.deepEqual(seen, ["one", "two", "three"]);
    }));

// How a stream may break after its first word, and what is told of it.
const breaks = {
  "cut in the middle of an event": { end: "cut" },
  "ended before its terminal event": { end: "clean" },
  "ended by an error event": { end: "error", message: /Overloaded/ },
};

/** Sends the first word, then breaks off. */
const breaking = (end) => (call) => call.turn(
  turn([{ text: "one two three" }]),
  { until: ({ text }) => text?.includes("two"), end });

for (const [name, { end, message = /./ }] of Object.entries(breaks)) {
  forEach(raws, (client, to) =>
    test(`${client.name} -> ${to.name}: a stream ${name} is an error`,
      async () => {
        const { alias } = it.script(to, breaking(end));
        const events = await within(Array.fromAsync(
          client.events(it.session(client), ask(client, alias))), "the end");
        assert.throws(() => client.dialect.readEvents(events), (error) => {
          assert.ok(error instanceof StreamError, error);
          assert.ok(error.body, `not told: ${error.message}`);
          assert.match(error.message, message);
          return true;
        });
        const texts = events.map(client.dialect.textOf).filter(Boolean);
        assert.deepEqual(texts.map((text) => text.trim()), ["one"]);
        // Nothing after the error, above all no normal end.
        assert.equal(events.findIndex(({ error }) => error),
          events.length - 1);
      }));

  for (const mode of ["stream", "helper"])
    forEach(sdks, (client, to) =>
      test(`${client.name} ${mode} -> ${to.name}: throws, ${name}`,
        async () => {
          const { model, alias } = it.script(to, breaking(end));
          await within(assert.rejects(
            client.modes[mode](it.session(client, { retries: 2 }),
              ask(client, alias)),
            (error) => {
              assert.ok(error instanceof client.errors.APIError, error);
              assert.match(error.message, message);
              return true;
            }), "the SDK's error");
          assert.equal(it.upstream.of(model).length, 1);
        }));
}

forEach(raws, (client, to) =>
  test(`${client.name} -> ${to.name}: a slow reader holds the upstream back` +
    " and loses nothing", { timeout: 120_000 }, async () => {
    const pieces = Array.from({ length: 256 },
      (_, index) => `${index}:${"x".repeat(1 << 18)};`);
    let taken = 0;
    const { alias } = it.script(to, (call) => {
      const events = (text) => to.events(turn([{ text }]), call.meta);
      const at = events("x").findIndex(({ text }) => text);
      const texts = pieces.map((text) =>
        events(text).find((event) => event.text));
      return call.stream(events("x").toSpliced(at, 1, ...texts),
        { hold: () => { taken += 1; } });
    });
    const response = await post(client.dialect, it.session(client),
      ask(client, alias, { stream: true }));
    // Not reading: the upstream gets stuck, far from its end.
    let before;
    await until(async () => {
      before = taken;
      await new Promise((resolve) => { setTimeout(resolve, 500); });
      return taken > 1 && taken === before;
    }, "the upstream to be held back");
    assert.ok(taken < pieces.length * 0.7, `the proxy took ${taken}`);
    let text = "";
    for await (const event of eventsOf(client.dialect, response))
      text += client.dialect.textOf(event) ?? "";
    assert.ok(text === pieces.join(""), `${text.length} characters came`);
  }));

test("streams side by side do not mix", async () => {
  const pairs = [...Array(10).keys()].flatMap((number) => clients.flatMap(
    (client) => dialects.map((to) => ({ number, client, to }))));
  await Promise.all(pairs.map(async ({ number, client, to }) => {
    const text = `${client.name} ${to.name} ${number} `.repeat(20);
    const { alias } = it.script(to, (call) => call.turn(turn(
      [{ text }, { call: { id: `call_${number}`, name: "f",
        args: { text } } }],
      { usage: { input: number + 1, cached: 0, output: number + 2 } })));
    const answer = await within(client.modes.stream(it.session(client),
      ask(client, alias)), text);
    assert.equal(answer.text, text);
    assert.deepEqual(answer.calls[0].args, { text });
    assert.equal(answer.usage.input, number + 1);
    assert.equal(answer.usage.output, number + 2);
  }));
});

test("upstream connections are kept and used again", async () => {
  for (const to of dialects)
    for (const stream of [false, true]) {
      const client = rawOf(to);
      const { model, alias } = it.script(to, (call) =>
        call.turn(turn([{ text: "Done." }])));
      for (let round = 0; round < 20; round += 1)
        await client.modes[stream ? "stream" : "create"](
          it.session(client), ask(client, alias));
      const used = new Set(it.upstream.of(model)
        .map(({ connection }) => connection));
      assert.ok(used.size <= 2, `${to.name}: ${used.size} for 20 calls`);
    }
});

const keepAlives = {
  "openai-chat": /^:[^\n]*\n\n/m, claude: /^event: ping\n/m,
};

forEach(raws, (client, to) =>
  test(`${client.name} -> ${to.name}: a keep-alive in a silence`, async () => {
    const proxy = await Proxy.start({ config: {
      ...backendsFor(it.upstream), server: { keep_alive_seconds: 0.2 },
    } });
    try {
      const release = gate();
      const { alias } = it.script(to, (call) => call.turn(
        turn([{ text: "one two" }]),
        { hold: ({ text }) => text === "two" && release.promise }));
      const response = await post(client.dialect, { url: proxy.url },
        ask(client, alias, { stream: true }));
      let text = "";
      await within((async () => {
        const decoder = new TextDecoder();
        for await (const bytes of response.body) {
          text += decoder.decode(bytes, { stream: true });
          // What follows the first word: the upstream is silent there.
          const silence = text.slice(text.indexOf("one"));
          if (keepAlives[client.dialect.name].test(silence)) release.open();
        }
      })(), "the end of the stream");
      const events = [...records(text)].map(client.dialect.parseRecord)
        .filter(Boolean);
      assert.equal(client.dialect.readEvents(events).text, "one two");
    } finally {
      await proxy.stop();
    }
  }));

forEach(raws, (client, to) => {
  test(`${client.name} -> ${to.name}: a stream in single bytes`, async () => {
    const text = "Grüße 北京 😀 <tag> \\ \"q\" \u2028.";
    const { alias } = it.script(to, async (call) => {
      call.head();
      const events = to.events(turn([{ text }]), call.meta);
      for (const byte of Buffer.from(events.map((e) => e.bytes).join("")))
        await call.write(Buffer.of(byte));
      call.response.end();
    });
    const answer = await within(client.modes.stream(it.session(client),
      ask(client, alias)), "the answer");
    assert.equal(answer.text, text);
  });

  if (client.dialect === to) return;
  test(`${client.name} -> ${to.name}: bytes that are not UTF-8 are replaced`,
    async () => {
      const { alias } = it.script(to, (call) => call.stream(
        to.events(turn([{ text: "one t@o three" }]), call.meta)
          .map(({ bytes }) => {
            const out = Buffer.from(bytes);
            if (out.includes("@")) out[out.indexOf("@")] = 0xff;
            return { bytes: out };
          })));
      const answer = await within(client.modes.stream(it.session(client),
        ask(client, alias)), "the answer");
      assert.equal(answer.text, "one t\ufffdo three");
    });
});

forEach([rawOf(dialects[0])], (client, to) =>
  test(`${client.name} -> ${to.name}: usage only when asked for`,
    async () => {
      const { alias } = it.script(to, (call) =>
        call.turn(turn([{ text: "Counted." }])));
      const events = (rest) => Array.fromAsync(
        client.events(it.session(client), { ...ask(client, alias), ...rest }));
      const asked = { stream_options: { include_usage: true } };
      assert.ok((await events(asked)).some((chunk) => chunk.usage));
      const silent = await events({});
      assert.ok(!silent.some((chunk) => chunk.usage));
      assert.ok(silent.every(({ choices }) => choices.length === 1));
    }));
