import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "./repository-files.ts";

test("types: the compiler finds nothing wrong in the repository", () => {
  const tsc = join(repositoryRoot, "node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "--noEmit", "--pretty", "false", "-p", repositoryRoot];
  const run = spawnSync(process.execPath, args, { cwd: repositoryRoot, encoding: "utf8" });
  assert.equal(run.stdout + run.stderr, "");
  assert.equal(run.status, 0);
});
