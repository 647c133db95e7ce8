import assert from "node:assert/strict";
import { test } from "node:test";
import { repositoryFiles } from "./repository-files.ts";
import { checkUnfinishedMarks } from "./unfinished-marks.ts";
import { assertNone } from "./violation.ts";

test("unfinished marks: there are none", () => {
  assertNone(checkUnfinishedMarks(repositoryFiles()));
});

test("unfinished marks: a mark is reported with its line, a longer word is not", () => {
  const mark = "TO" + "DO"; // In pieces, so that this file does not report itself.
  const text = `a;\n// ${mark}: later\n// ${mark}S\n`;
  const lines = checkUnfinishedMarks([{ path: "src/x.ts", text }]).map((one) => one.line);
  assert.deepEqual(lines, [2]);
});
