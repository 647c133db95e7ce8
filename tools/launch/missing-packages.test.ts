import assert from "node:assert/strict";
import { test } from "node:test";
import { missingPackages } from "./missing-packages.mjs";

const linux = { os: "linux", cpu: "x64" };
const zod = { version: "4.0.0", integrity: "sha512-a" };

function locked(entries: Record<string, object>): object {
  return { packages: { "": { name: "root" }, ...entries } };
}

test("missing packages: none when npm's record agrees with the lock", () => {
  assert.deepEqual(missingPackages(locked({ a: zod }), locked({ a: zod }), linux), []);
});

test("missing packages: all of them when npm left no record", () => {
  assert.deepEqual(missingPackages(locked({ a: zod, b: zod }), undefined, linux), ["a", "b"]);
});

test("missing packages: one of another version, or of other content", () => {
  const newer = { ...zod, version: "4.0.1" };
  const other = { ...zod, integrity: "sha512-b" };
  const lock = locked({ a: newer, b: other, c: zod });
  assert.deepEqual(missingPackages(lock, locked({ a: zod, b: zod, c: zod }), linux), ["a", "b"]);
});

test("missing packages: an optional one for another platform may be absent", () => {
  const lock = locked({
    mac: { ...zod, optional: true, os: "darwin" },
    arm: { ...zod, optional: true, os: ["linux"], cpu: ["arm64"] },
    notLinux: { ...zod, optional: true, os: ["!linux"] },
    musl: { ...zod, optional: true, os: ["linux"], cpu: ["x64"], libc: ["musl"] },
  });
  assert.deepEqual(missingPackages(lock, locked({}), linux), []);
});

test("missing packages: an optional one for this platform is missed", () => {
  const lock = locked({ node: { ...zod, optional: true, os: "linux", cpu: "x64" } });
  assert.deepEqual(missingPackages(lock, locked({}), linux), ["node"]);
});

test("missing packages: one whose content the lock does not state is judged by its version", () => {
  const lock = locked({ a: { version: "4.0.0" }, b: { version: "4.0.1" } });
  assert.deepEqual(missingPackages(lock, locked({ a: zod, b: zod }), linux), ["b"]);
});
