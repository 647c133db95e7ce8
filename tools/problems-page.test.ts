import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { malformedRequestCodes } from "../src/base/fault-catalogue.ts";
import { faultTypes } from "../src/base/faults.ts";
import { problemsPage, problemsPageFile } from "./problems-page.ts";

const page = readFileSync(problemsPageFile, "utf8");

test("problems page: is what the catalogue says (else run: node tools/problems-page.ts)", () => {
  assert.equal(page, problemsPage());
});

test("problems page: describes every fault type, and none that does not exist", () => {
  const headings = page.match(/^### .+$/gm) ?? [];
  const described = headings.map((line) => line.slice(4)).sort();
  assert.deepEqual(described, Object.keys(faultTypes).sort());
});

test("problems page: describes every code of a malformed request, and none that does not exist", () => {
  const rows = page.match(/^\| `.+?` \|/gm) ?? [];
  const described = rows.map((row) => row.slice(3, -3)).sort();
  assert.deepEqual(described, Object.keys(malformedRequestCodes).sort());
});

test("problems page: states each status and title", () => {
  for (const type of Object.values(faultTypes)) {
    const section = page.split(`### ${type.name}\n`)[1] ?? "";
    const facts = section.trimStart().split("\n")[0] ?? "";
    assert.ok(facts.startsWith(`**${type.title}** (`), type.name);
    assert.ok(facts.includes(String(type.status)), type.name);
  }
});
