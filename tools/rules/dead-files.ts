import { codeOnly } from "./code-only.ts";
import { importsOf } from "./imports-of.ts";
import { isTest } from "./layer-imports.ts";
import type { RepositoryFile } from "./repository-files.ts";
import type { Violation } from "./violation.ts";

/** Started by something that is not an import. */
const entries = [
  "src/cli/main.ts",
  "src/cli/keep-compiled-code.ts",
  "src/index.ts",
  "src/testing/index.ts",
];

/**
 * Rule: every file of src is imported by some other file than its own test. Files with types only
 * count their type imports like any others.
 */
export function checkDeadFiles(files: readonly RepositoryFile[]): Violation[] {
  const alive = new Set(entries);
  for (const file of files) {
    for (const { target } of importsOf(file)) {
      if (target !== undefined && !isOwnTest(file.path, target)) alive.add(target);
    }
  }
  const product = files.filter(({ path }) => path.startsWith("src/") && !isTest(path));
  return product
    .filter(({ path, text }) => !alive.has(path) && hasCode(text))
    .map(({ path }) => ({ path, message: "nothing imports it: wire it in or delete it" }));
}

function isOwnTest(path: string, target: string): boolean {
  return isTest(path) && path.startsWith(target.replace(/ts$/, ""));
}

function hasCode(text: string): boolean {
  return codeOnly(text).trim() !== "";
}
