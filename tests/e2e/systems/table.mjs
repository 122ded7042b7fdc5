// The rows of the table that systems_test.mjs prints at its end.
import { after, test } from "node:test";

const rows = [];

/** A test that is a row. `body` may return a word other than "pass". */
export function row(system, example, body) {
  test(`${system}: ${example}`, async () => {
    const line = { system, example, result: "FAIL" };
    rows.push(line);
    line.result = await body() ?? "pass";
  });
}

/** A row of what is not run here: it installs or starts another program. */
export function notOurs(system, example,
  why = "not ours: starts the other program") {
  rows.push({ system, example, result: why, foreign: true });
}

after(() => {
  const width = (key) => Math.max(...rows.map((line) => line[key].length));
  const [first, second] = [width("system"), width("example")];
  const print = ({ system, example, result }) => console.log(
    `  ${system.padEnd(first)}  ${example.padEnd(second)}  ${result}`);
  print({ system: "system", example: "example", result: "result" });
  // What cannot run was noted while loading; it goes below what ran.
  const order = [...new Set(rows.map(({ system }) => system))].sort();
  for (const name of order)
    for (const foreign of [false, true])
      rows.filter((line) => line.system === name &&
        Boolean(line.foreign) === foreign).forEach(print);
});
