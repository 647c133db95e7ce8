/**
 * Documents with mistakes, and what is said of them: each file in mistakes/ has an `.expected` file
 * beside it. `GOLDEN=write node --test test/config/mistakes.test.ts` writes those anew; read the
 * difference before it is committed.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load-config.ts";
import { formatMistake } from "../../src/config/mistake.ts";

const folder = join(import.meta.dirname, "mistakes");
const documents = readdirSync(folder).filter((name) => /\.(yaml|json|ts)$/.test(name));
const environment = { PORT: "8080", NOT_A_PORT: "eighty", USERS_URL: "http://127.0.0.1:3001" };

for (const name of documents) {
  test(`mistakes: ${name} is told what it should be told`, async () => {
    const file = join(folder, name);
    const { mistakes } = await loadConfig({ file, folder, environment });
    const told = mistakes.map((mistake) => `${formatMistake(mistake)}\n`).join("");
    const expected = `${file}.expected`;
    if (process.env["GOLDEN"] === "write") writeFileSync(expected, told);
    assert.equal(told, readFileSync(expected, "utf8"));
    assert.notEqual(told, "");
  });
}
