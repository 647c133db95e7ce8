import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { installDependencies } from "./install-dependencies.mjs";

const lock = { packages: { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } } };

/** A repository with a lock file, and an npm that only writes down what it would have installed. */
function repository(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), "gateward-install-"));
  t.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, "package-lock.json"), JSON.stringify(lock));
  const said: string[] = [];
  const settings = {
    runs: 0,
    say: (line: string) => said.push(line),
    async runNpm() {
      settings.runs += 1;
      await new Promise(setImmediate);
      mkdirSync(join(root, "node_modules"), { recursive: true });
      writeFileSync(join(root, "node_modules", ".package-lock.json"), JSON.stringify(lock));
      return { code: 0, output: "" };
    },
  };
  return { root, said, settings };
}

test("install: runs npm when nothing is installed, and never again", async (t) => {
  const { root, said, settings } = repository(t);
  assert.equal(await installDependencies(root, settings), true);
  assert.match(said[0] ?? "", /installing the locked dependencies \(1 package missing or older\)/);
  said.length = 0;
  assert.equal(await installDependencies(root, settings), false);
  assert.equal(settings.runs, 1);
  assert.deepEqual(said, []);
});

test("install: of several at once, one runs npm and the others wait for it", async (t) => {
  const { root, said, settings } = repository(t);
  const done = await Promise.all([1, 2, 3].map(() => installDependencies(root, settings)));
  assert.equal(done.filter(Boolean).length, 1);
  assert.equal(settings.runs, 1);
  assert.equal(said.filter((line) => line.includes("another process")).length, 2);
});

test("install: a newer lock file makes it run again", async (t) => {
  const { root, settings } = repository(t);
  await installDependencies(root, settings);
  const newer = { packages: { "node_modules/a": { version: "1.0.1", integrity: "sha512-b" } } };
  writeFileSync(join(root, "package-lock.json"), JSON.stringify(newer));
  assert.equal(await installDependencies(root, settings), true);
});

test("install: what npm said when it failed is in the error", async (t) => {
  const { root, settings } = repository(t);
  const runNpm = async () => ({ code: 1, output: "npm error network unreachable\n" });
  await assert.rejects(installDependencies(root, { ...settings, runNpm }), /network unreachable/);
});
