import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { staleReferenceFiles } from "./gen-reference.ts";

const page = readFileSync(new URL("../docs/reference/config.md", import.meta.url), "utf8");

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
    else
      assert.ok(
        existsSync(fileURLToPath(new URL(`../docs/reference/${target}`, import.meta.url))),
        target,
      );
  }
});

test("configuration reference: every key has a kind of value and a description", () => {
  const rows = page.split("\n").filter((line) => /^\| (\[?`)/.test(line));
  assert.ok(rows.length > 80, String(rows.length));
  for (const row of rows) {
    const [, , kind = "", , about = ""] = row.split(/(?<!\\)\|/);
    assert.notEqual(kind.trim(), "", row);
    if (!/^\| `[[{]|^\| `mobile`/.test(row)) assert.notEqual((about || kind).trim(), "", row);
  }
});
