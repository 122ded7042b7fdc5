// The table that python_test.mjs prints at its end: a line for each call of
// an SDK and scenario, a column for each dialect of the upstream.
import { every } from "../dialects/index.mjs";

const noPython = "no Python packages";
const lines = [];
const notes = new Map();

/** A cell of what cannot work; the reason stands below the table. */
export function cannot(why) {
  if (!notes.has(why)) notes.set(why, notes.size + 1);
  return `cannot [${notes.get(why)}]`;
}

/** A line; `cells` holds a word for each dialect's name. */
export function line(client, mode, scenario) {
  const one = { client, mode, scenario, cells: {} };
  lines.push(one);
  return one;
}

/** The test that fills a cell; where Python has no such SDK it cannot. */
export const filling = ({ client, cells }, to, body) => async () => {
  cells[to.name] = "FAIL";
  if (!await client.version()) {
    cells[to.name] = cannot(noPython);
    return;
  }
  await body();
  cells[to.name] = "pass";
};

export async function printTable() {
  const rows = [["SDK", "call", "scenario", ...every.map(({ name }) => name)]];
  for (const { client, mode, scenario, cells } of lines)
    rows.push([await client.version() ?? "-", client.calls[mode], scenario,
      ...every.map(({ name }) => cells[name] ?? "-")]);
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(`  ${row.map((text, column) =>
      text.padEnd(widths[column])).join("  ").trimEnd()}`);
  for (const [why, number] of notes) console.log(`  [${number}] ${why}`);
}
