import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { accessFields } from "./access-fields.ts";

test("access fields: the guide lists each of them, with its meaning, in this order", () => {
  const guide = new URL("../../../docs/guide/operations.md", import.meta.url);
  const table = accessFields.map(({ name, about }) => `| \`${name}\` | ${about} |`).join("\n");
  assert.ok(readFileSync(guide, "utf8").includes(`\n${table}\n`));
});
