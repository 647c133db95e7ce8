import assert from "node:assert/strict";
import { test } from "node:test";
import { checkHotFiles } from "./hot-files.ts";
import { sourceFiles } from "./repository-files.ts";
import { assertNone } from "./violation.ts";

/** The lines of the sample, the first of which is `// HOT`, that are reported. */
function reported(...lines: string[]): number[] {
  const text = ["// HOT", ...lines, ""].join("\n");
  return checkHotFiles([{ path: "src/x.ts", text }]).map((one) => one.line ?? 0);
}

test("hot files: contain no promise, spread, array method or closure", () => {
  assertNone(checkHotFiles(sourceFiles()));
});

test("hot files: each of the forbidden forms is reported with its line", () => {
  assert.deepEqual(reported("async function a() {}"), [2]);
  assert.deepEqual(reported("const a = { ...b };", "f(...c);"), [2, 3]);
  assert.deepEqual(reported("const a = b.filter(isGood);"), [2]);
  assert.deepEqual(reported("function a() {", "  return () => 1;", "}"), [3]);
  assert.deepEqual(reported("function a() {", "  b(function () {});", "}"), [3]);
});

test("hot files: types, comments, strings and Buffer.concat are none of these", () => {
  assert.deepEqual(reported("interface A { then: (a: Promise<number>) => void }"), []);
  assert.deepEqual(reported("// async ... .map(", `const a = "async () => {}";`), []);
  assert.deepEqual(reported("const a = Buffer.concat(list);"), []);
});

test("hot files: a closure made when the module is loaded is none per request", () => {
  assert.deepEqual(reported("const isA = table((byte) => byte === 65);"), []);
});

test("hot files: a mark with a reason excuses its line, or the block that the next line opens", () => {
  assert.deepEqual(reported("const a = [...b]; // cold: once per snapshot"), []);
  const block = ["function a() {", "  b.map(c);", "}", "b.map(c);"];
  assert.deepEqual(reported("// cold: when a listener opens,", "// which is rare", ...block), [7]);
  assert.deepEqual(reported("const a = [...b]; // cold:"), [2]);
});

test("hot files: others may contain all of it", () => {
  assert.deepEqual(checkHotFiles([{ path: "src/x.ts", text: "await f(...a);" }]), []);
});
