// The official Python SDKs, through the proxy, to every upstream dialect:
// scenarios of scenarios.mjs, the SDKs' own parsers, and an error. Prints a
// table of what passed and what cannot be.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { pythonClients, stopPython } from "./clients/python.mjs";
import * as gemini from "./dialects/gemini.mjs";
import { every } from "./dialects/index.mjs";
import { within } from "./harness.mjs";
import { play } from "./play.mjs";
import { PythonError } from "./python/driver.mjs";
import { cannot, filling, line, printTable } from "./python/table.mjs";
import { citySchema, scenarios } from "./scenarios.mjs";
import { ask, stage } from "./stage.mjs";
import { turn } from "./upstream.mjs";

// Before the stage, whose proxy then stops with no client left.
after(async () => {
  await printTable();
  await stopPython();
});
const it = stage();

/** What the SDK's own parser makes of `value`, and the schema it sent. */
async function parse(client, mode, to, shape, value) {
  const { model, alias } = it.script(to, (call) =>
    call.turn(turn([{ text: JSON.stringify(value) }])));
  const { parsed } = await within(client.parsers[mode](
    it.session(client), ask(client, alias), shape), "parsed");
  assert.deepEqual(parsed, value);
  return it.upstream.of(model)[0].view.schema;
}

async function parsesCity(client, mode, to) {
  const schema = await parse(client, mode, to, "City",
    { name: "Z\u00fcrich", population: 421878 });
  assert.deepEqual(Object.keys(schema.properties),
    Object.keys(citySchema.properties));
  assert.deepEqual(schema.required, citySchema.required);
}

/** Every schema in a schema; those of properties have names of their own. */
function* schemasIn(schema) {
  yield schema;
  const { properties = {}, $defs = {}, items, ...rest } = schema;
  const inner = [...Object.values(properties), ...Object.values($defs),
    ...items ? [items] : [], ...rest.anyOf ?? []];
  for (const one of inner) yield* schemasIn(one);
}

async function parsesTrip(client, mode, to) {
  const schema = await parse(client, mode, to, "Trip", {
    stops: [{ name: "Zoo", kind: "tram" }], line: "6", note: null, fare: 4.4,
  });
  // Google's own schemas spell as they like, to Google.
  if (client.dialect === gemini && to === gemini) return;
  for (const one of schemasIn(schema)) {
    for (const keyword of Object.keys(one))
      assert.match(keyword, /^[$a-z][A-Za-z]*$/, `no keyword: ${keyword}`);
    for (const type of [one.type ?? []].flat())
      assert.match(type, /^[a-z]+$/, `no type: ${type}`);
  }
  const { line: { anyOf } } = schema.properties;
  assert.deepEqual(anyOf.map(({ type }) => type), ["integer", "string"]);
}

async function parsesNull(client, mode, to) {
  const schema = await parse(client, mode, to, "Line", { name: null });
  if (to === gemini) return;
  assert.match(JSON.stringify(schema.properties.name), /"null"/);
}

async function throttled(client, mode, to) {
  const message = "Slow down, Zo\u00eb.";
  const { model, alias } = it.script(to, (call) =>
    call.error("rate_limited", message));
  await within(assert.rejects(
    client.modes[mode](it.session(client), ask(client, alias)), (error) => {
      assert.ok(error instanceof PythonError, error);
      assert.deepEqual([error.type, error.status, error.message],
        [client.error, 429, message]);
      return true;
    }), "an error");
  assert.equal(it.upstream.of(model).length, 1);
}

/** Google's SDK sends an answer back in the pieces that were streamed. */
async function pieces(client, mode, to) {
  const { model, alias } = it.script(to, (call) =>
    call.turn(turn([{ text: "Three." }])));
  const said = (role, text) => ({ role, parts: [{ text }] });
  await within(client.modes[mode](it.session(client), {
    model: alias,
    contents: [said("user", "Count."), said("model", "One."),
      said("model", "\n\n"), said("model", "Two."), said("user", "On.")],
  }), "an answer");
  const { messages } = client.seen(it.upstream.of(model)[0].view);
  assert.deepEqual(messages.map(({ parts }) => parts),
    [[{ text: "Count." }], [{ text: "One.\n\nTwo." }], [{ text: "On." }]]);
}

const scenario = (name) => (client, mode, to) =>
  play(it, scenarios.find((one) => one.name === name), client, mode, to);

const parser = (body, more) => Object.assign(body,
  { cannot: (client, mode) => client.unparsed?.[mode] }, more);
/** What has a story of its own in Google's SDK. */
const google = { needs: (client) => client.dialect === gemini };

/** What every SDK does, as the table calls it. */
const rows = {
  text: scenario("text"),
  tools: scenario("a tool call, then an answer that uses its result"),
  "parallel tools": scenario("text and parallel tool calls"),
  "structured output": scenario("structured output"),
  "parsed output": parser(parsesCity),
  "parsed, nested": parser(parsesTrip),
  "parsed, nullable": parser(parsesNull, google),
  "error 429": throttled,
  "history in pieces": Object.assign(pieces, google),
};

for (const client of pythonClients)
  for (const mode of Object.keys(client.modes))
    for (const [row, body] of Object.entries(rows)) {
      if (body.needs && !body.needs(client)) continue;
      const one = line(client, mode, row);
      const why = body.cannot?.(client, mode);
      for (const to of every)
        if (why) one.cells[to.name] = cannot(why);
        else
          test(`${client.name} ${mode} -> ${to.name}: ${row}`,
            filling(one, to, () => body(client, mode, to)));
    }
