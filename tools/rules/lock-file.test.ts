import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkLockFile } from "./lock-file.ts";
import type { LockFile } from "./lock-file.ts";
import { repositoryRoot } from "./repository-files.ts";
import { assertNone } from "./violation.ts";

test("lock file: has an entry for every optional package, so that npm ci accepts it", () => {
  const text = readFileSync(join(repositoryRoot, "package-lock.json"), "utf8");
  assertNone(checkLockFile(JSON.parse(text) as LockFile));
});

test("lock file: an optional package without an entry is reported", () => {
  const tool = { optionalDependencies: { "@tool/linux": "1.0.0", "@tool/mac": "1.0.0" } };
  const packages = { "node_modules/tool": tool, "node_modules/@tool/linux": {} };
  const messages = checkLockFile({ packages }).map((one) => one.message);
  assert.equal(messages.length, 1);
  assert.match(
    messages[0] ?? "",
    /no entry for @tool\/mac 1\.0\.0, which node_modules\/tool names/,
  );
});
