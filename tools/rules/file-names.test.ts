import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFileNames } from "./file-names.ts";
import { repositoryFiles } from "./repository-files.ts";
import { assertNone } from "./violation.ts";

function isReported(path: string): boolean {
  return checkFileNames([{ path, text: "" }]).length > 0;
}

test("file names: are kebab-case and say what is inside", () => {
  assertNone(checkFileNames(repositoryFiles()));
});

test("file names: other cases and empty words are reported", () => {
  const bad = ["src/base/byteClass.ts", "src/Wire/a.ts", "src/wire/http_1.ts"];
  const vague = ["src/wire/utils.ts", "src/types.ts", "test/helpers/a.ts", "src/a/common.test.ts"];
  assert.deepEqual([...bad, ...vague].filter(isReported), [...bad, ...vague]);
});

test("file names: digits, tests, read-me files and files of tools are fine", () => {
  const good = ["src/wire/http1/a-b.test.ts", "docs/adr/0001-a-b.md", "docs/README.md", "LICENSE"];
  assert.deepEqual(good.filter(isReported), []);
});
