// Plays one scenario of scenarios.mjs: a client, in one of its modes, asks
// the proxy; an upstream of one dialect answers; both sides are checked.
import assert from "node:assert/strict";

import { within } from "./harness.mjs";

/** `it` is a stage; each play has a model, and so a script, of its own. */
export async function play(it, scenario, client, mode, to) {
  const context = {
    from: client.dialect.name, to: to.name,
    lost: (what) => client.dialect.cannot.includes(what) ||
      to.lacks.includes(what),
    cannot: (what) => client.dialect.cannot.includes(what),
    lacks: (what) => to.lacks.includes(what),
  };
  const { model, alias } = it.script(to, (call) =>
    scenario.rounds[call.round].reply(call));
  const session = it.session(client);
  const body = client.dialect.request({ ...scenario.ask, model: alias });
  const append = client.append ?? client.dialect.append;
  let answer;
  for (const [index, round] of scenario.rounds.entries()) {
    if (round.results) append(body, answer, round.results(answer.calls));
    answer = await within(client.modes[mode](session, body), scenario.name);
    const call = it.upstream.of(model)[index];
    assert.equal(call.dialect.name, to.name);
    round.sent?.(client.seen?.(call.view) ?? call.view, context);
    round.got?.(answer, context);
    // Across dialects the answer bears the name that the client used;
    // Converse names none.
    if (answer.model !== undefined)
      assert.equal(answer.model, client.dialect === to ? model : alias);
  }
  assert.equal(it.upstream.of(model).length, scenario.rounds.length);
}
