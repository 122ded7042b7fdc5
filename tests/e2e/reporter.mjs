// What the runner prints: what the tests print, each failure in full, one
// line a file, and a last line with the numbers.
import { relative } from "node:path";
import { inspect } from "node:util";

const errorText = ({ cause }) =>
  cause instanceof Error ? cause.stack : inspect(cause, { depth: 6 });

/** What only groups tests is no test; but its hooks may have failed. */
const counts = ({ data: { details } }) =>
  (details.type !== "suite" || details.error?.failureType === "hookFailed") &&
  details.error?.failureType !== "subtestsFailed";

export default async function* report(source) {
  const files = new Map();
  const total = { passed: 0, failed: 0 };
  for await (const event of source) {
    if (["test:stderr", "test:stdout"].includes(event.type))
      yield event.data.message;
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    if (!counts(event)) continue;
    const failed = event.type === "test:fail";
    const file = relative(process.cwd(), event.data.file ?? "");
    const entry = files.get(file) ?? { passed: 0, failed: 0 };
    files.set(file, entry);
    for (const sum of [total, entry]) sum[failed ? "failed" : "passed"] += 1;
    if (failed)
      // A file's own name stands for its hooks, or for all of it.
      yield `\nFAILED ${file}: ${event.data.name}\n` +
        `${errorText(event.data.details.error)}\n`;
  }
  yield "\n";
  for (const [file, { passed, failed }] of files)
    yield `  ${file.padEnd(24)} ${passed} passed, ${failed} failed\n`;
  yield `${total.passed} passed, ${total.failed} failed\n`;
}
