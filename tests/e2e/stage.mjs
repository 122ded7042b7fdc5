// What a test file plays on: an upstream and a proxy in front of it, up
// before its tests and gone, cleanly, after them.
import assert from "node:assert/strict";
import { after, before } from "node:test";

import { dialects } from "./dialects/index.mjs";
import { backendsFor, Proxy } from "./harness.mjs";
import { Upstream } from "./upstream.mjs";

/** `config(upstream)` adds to, or replaces, sections of the default one. */
export function stage({ config = () => ({}), ...options } = {}) {
  const it = {
    /** A session of a client with the proxy. */
    session: (client, rest) => client.make({ url: it.proxy.url, ...rest }),

    /** A script and the model name that reaches it through `to`. */
    script(to, script, name) {
      const model = it.upstream.add(script, name);
      return { model, alias: `${to.name}/${model}` };
    },
  };
  before(async () => {
    it.upstream = await Upstream.start();
    it.proxy = await Proxy.start({
      ...options,
      config: { ...backendsFor(it.upstream), ...config(it.upstream) },
    });
  });
  after(async () => {
    // The proxy first: what it leaves open must not outlive it.
    await it.proxy?.stop();
    await it.upstream?.stop();
    assert.deepEqual(it.upstream.failures, []);
  });
  return it;
}

/** A body of the client's dialect that asks a model to go on. */
export const ask = (client, model, rest) => client.dialect.request({
  model, messages: [{ role: "user", parts: [{ text: "Go on." }] }], ...rest,
});

/** Calls `row` for each client of the list and each upstream dialect. */
export function forEach(list, row) {
  for (const client of list) for (const to of dialects) row(client, to);
}
