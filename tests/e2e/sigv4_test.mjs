// The vectors of the C++ test are what the AWS SDK's signer says today.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { vectors } from "./sigv4_vectors.mjs";

const FILE = new URL("../unit/data/sigv4.json", import.meta.url);

test("the SigV4 vectors are the AWS SDK's own signatures", async () => {
  const recorded = await readFile(FILE, "utf8");
  assert.equal(recorded, await vectors());
  assert.ok(JSON.parse(recorded).length >= 20);
});
