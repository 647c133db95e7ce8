import assert from "node:assert/strict";
import { test } from "node:test";
import { sourceFiles } from "./repository-files.ts";
import { checkSwitchedOffTests, checkTestTitles } from "./test-hygiene.ts";
import { assertNone } from "./violation.ts";

function sample(...lines: string[]) {
  return [
    { path: "src/x.test.ts", text: [`import { test } from "node:test";`, ...lines].join("\n") },
  ];
}

test("tests: none is switched off by hand", () => {
  assertNone(checkSwitchedOffTests(sourceFiles()));
});

test("tests: titles are sentences, subject: behaviour", () => {
  assertNone(checkTestTitles(sourceFiles()));
});

test("tests: every way to switch one off is reported", () => {
  const off = [`test.skip("a");`, `test("a", { only: true });`, `test("a", { skip: "later" });`];
  const found = checkSwitchedOffTests(sample(...off, `t.todo("a");`)).map((one) => one.line);
  assert.deepEqual(found, [2, 3, 4, 5]);
});

test("tests: skipping for a computed reason is fine", () => {
  assert.deepEqual(checkSwitchedOffTests(sample(`test("a", { skip: requires("curl") });`)), []);
});

test("tests: a title that is no sentence is reported", () => {
  const titles = ["parser", "parser: works", "parser: should refuse it", "a: b"];
  const found = checkTestTitles(sample(...titles.map((one) => `test("${one}", () => {});`)));
  assert.deepEqual(found.length, titles.length);
  assert.deepEqual(checkTestTitles(sample(`test("parser: refuses a bare CR", f);`)), []);
});
