// Every client in every mode, through the proxy, to every upstream dialect:
// the scenarios of scenarios.mjs. Then the SDKs' own tool loops and parsers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";

import { clients, others, sdks } from "./clients/index.mjs";
import { every } from "./dialects/index.mjs";
import { within } from "./harness.mjs";
import { play } from "./play.mjs";
import { citySchema, scenarios, weatherTool } from "./scenarios.mjs";
import { ask, stage } from "./stage.mjs";
import { turn } from "./upstream.mjs";

const it = stage();

for (const client of [...clients, ...others])
  for (const mode of Object.keys(client.modes))
    for (const to of every)
      for (const scenario of scenarios.filter(({ needs }) => !needs ||
        !client.dialect.cannot.concat(to.lacks).includes(needs)))
        test(`${client.name} ${mode} -> ${to.name}: ${scenario.name}`,
          () => play(it, scenario, client, mode, to));

/** A conversation with one tool call; the model repeats the result. */
const toolScript = (call) => {
  const result = call.view.messages.at(-1).parts
    .find((part) => part.result)?.result;
  return call.turn(turn([result ? { text: `It is ${result.text}.` }
    : { call: { id: "call_L1", name: "get_weather",
      args: { city: "Zürich" } } }]));
};

for (const client of sdks)
  for (const [name, loop] of Object.entries(client.loops))
    for (const to of every)
      test(`${client.name} ${name} -> ${to.name}`, async () => {
        const { model, alias } = it.script(to, toolScript);
        const runs = [];
        const text = await within(loop(it.session(client),
          ask(client, alias, { tools: [weatherTool] }), (call) => {
            runs.push(call);
            return "12 °C";
          }), name);
        assert.deepEqual(runs,
          [{ name: "get_weather", args: { city: "Zürich" } }]);
        assert.equal(text, "It is 12 °C.");
        // The newest Claude loop leaves the history to the server; only a
        // server that keeps it may be asked that way.
        const { json, view } = it.upstream.of(model).at(-1);
        if (!json.thread)
          assert.deepEqual(view.messages.map(({ role }) => role),
            ["user", "assistant", "user"]);
        assert.ok(!json.thread || client.dialect === to);
      });

const City = z.object({ name: z.string(), population: z.int() });

for (const client of [...sdks, ...others])
  for (const [name, parse] of Object.entries(client.parsers))
    for (const to of every)
      test(`${client.name} ${name} -> ${to.name}: structured`, async () => {
        const { model, alias } = it.script(to, (call) => call.turn(turn(
          [{ text: '{"name":"Zürich","population":421878}' }])));
        const city = await within(parse(it.session(client),
          ask(client, alias), City, citySchema), name);
        assert.deepEqual(city, { name: "Zürich", population: 421878 });
        const { schema } = it.upstream.of(model)[0].view;
        assert.deepEqual(Object.keys(schema.properties),
          ["name", "population"]);
      });
