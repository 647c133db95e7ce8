import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { join } from "node:path";
import { staleReferenceFiles } from "./gen-reference.ts";

const folder = join(import.meta.dirname, "..", "docs", "reference");
const page = readFileSync(join(folder, "config.md"), "utf8");

test("configuration reference: is what the schema says (else run: node tools/gen-reference.ts)", () => {
  assert.deepEqual(staleReferenceFiles(), []);
});

test("configuration reference: every link leads to a heading or a file", () => {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(/\s/g, "-"),
  );
  for (const [, target = ""] of page.matchAll(/\]\(([^)]+)\)/g)) {
    if (target.startsWith("#")) assert.ok(headings.includes(target.slice(1)), target);
    else assert.ok(existsSync(join(folder, target)), target);
  }
});

test("configuration reference: every key has a kind of value and a description", () => {
  const tables = page.slice(page.indexOf("## Top level"), page.indexOf("## Policies"));
  const rows = tables.split("\n").filter((line) => /^\| \[?`/.test(line));
  assert.ok(rows.length > 80, String(rows.length));
  for (const row of rows) {
    const [, , kind = "", , about = ""] = row.split(/(?<!\\)\|/);
    assert.ok(kind.trim() !== "" && about.trim() !== "", row);
  }
});
