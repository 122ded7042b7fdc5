// How failures reach the SDKs of Groq, Responses, Gemini and Bedrock, from
// every upstream dialect: as errors with the right status before the first
// event, and as errors of the stream behind it, never as an answer that is
// complete.
import assert from "node:assert/strict";
import { test } from "node:test";

import { others } from "./clients/index.mjs";
import { every } from "./dialects/index.mjs";
import { within } from "./harness.mjs";
import { ask, stage } from "./stage.mjs";
import { turn } from "./upstream.mjs";

const it = stage();

const statusOf = (error) => error.status ?? error.$metadata?.httpStatusCode;

/** What the other SDKs throw: the vendors spell it in two ways. */
const classOf = ({ errors }) => errors?.APIError ?? errors?.ApiError;

/** What Amazon's SDK makes of a status. */
const exceptions = {
  429: "ThrottlingException", 404: "ResourceNotFoundException",
  400: "ValidationException", 500: "InternalServerException",
};

const kinds = [
  ["rate_limited", 429], ["not_found", 404], ["invalid", 400],
  ["failed", 500],
];

for (const client of others)
  for (const mode of Object.keys(client.modes))
    for (const to of every)
      for (const [kind, status] of kinds)
        test(`${client.name} ${mode} -> ${to.name}: ${kind}`, async () => {
          const { alias } = it.script(to,
            (call) => call.error(kind, "Not today."));
          await assert.rejects(
            within(client.modes[mode](it.session(client), ask(client, alias)),
              kind),
            (error) => {
              const wanted = classOf(client);
              assert.ok(!wanted || error instanceof wanted, error);
              assert.equal(statusOf(error), status);
              assert.match(error.message, /Not today\./);
              if (error.$metadata) assert.equal(error.name, exceptions[status]);
              return true;
            });
        });

for (const client of others)
  for (const to of every)
    for (const end of ["error", "clean", "cut"])
      test(`${client.name} -> ${to.name}: a stream that ends by ${end}`,
        async () => {
          const { alias } = it.script(to, (call) => call.stream(
            call.dialect.events(turn([{ text: "one two three" }]), call.meta),
            { until: (event) => event.text?.includes("two"), end }));
          let text = "";
          const read = async () => {
            const seen = [];
            for await (const event of client.events(it.session(client),
              ask(client, alias))) {
              seen.push(event);
              text += client.dialect.textOf(event) ?? "";
            }
            // An event of failure is what Responses clients get.
            client.dialect.readEvents(seen);
          };
          await assert.rejects(within(read(), end));
          assert.equal(text.trim(), "one");
        });
