import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { withExclusiveLock } from "./exclusive-lock.mjs";

function lockPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gateward-lock-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "cache", "install.lock");
}

test("exclusive lock: of many at once, one works at a time", async (t) => {
  const path = lockPath(t);
  let working = 0;
  let workingMax = 0;
  let waited = 0;
  const work = async () => {
    workingMax = Math.max(workingMax, ++working);
    await new Promise(setImmediate);
    working -= 1;
  };
  const settings = { onWait: () => (waited += 1) };
  await Promise.all([1, 2, 3].map(() => withExclusiveLock(path, work, settings)));
  assert.equal(workingMax, 1);
  assert.equal(waited, 2);
  assert.equal(existsSync(path), false);
});

test("exclusive lock: is released when the work fails", async (t) => {
  const path = lockPath(t);
  await assert.rejects(
    withExclusiveLock(path, () => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.equal(existsSync(path), false);
});

test("exclusive lock: one left behind by a dead process is taken over, by one waiter only", async (t) => {
  const path = lockPath(t);
  await withExclusiveLock(path, async () => {}); // Makes the folder.
  writeFileSync(path, "999999\n");
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(path, longAgo, longAgo);
  let working = 0;
  const work = async () => {
    assert.equal(++working, 1);
    await new Promise(setImmediate);
    working -= 1;
  };
  await Promise.all([1, 2, 3, 4].map(() => withExclusiveLock(path, work)));
  assert.equal(existsSync(`${path}.takeover`), false);
});
