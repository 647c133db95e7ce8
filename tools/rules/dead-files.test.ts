import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDeadFiles } from "./dead-files.ts";
import { sourceFiles } from "./repository-files.ts";
import { assertNone } from "./violation.ts";

test("dead files: every file of src is imported by another than its own test", () => {
  assertNone(checkDeadFiles(sourceFiles()));
});

test("dead files: one that only its own test imports is reported", () => {
  const files = [
    { path: "src/cli/main.ts", text: `import "../base/a.ts";` },
    { path: "src/base/a.ts", text: "export const a = 1;" },
    { path: "src/base/b.ts", text: "export const b = 1;" },
    { path: "src/base/b.test.ts", text: `import "./b.ts";` },
    { path: "src/base/c.ts", text: "export const c = 1;" },
    { path: "test/e2e/c.test.ts", text: `import "../../src/base/c.ts";` },
    { path: "src/base/d.ts", text: "export interface D {}" },
  ];
  assert.deepEqual(
    checkDeadFiles(files).map((one) => one.path),
    ["src/base/b.ts"],
  );
});
