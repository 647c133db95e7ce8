import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makePrivateFolder } from "./keep-compiled-code.ts";

test("compiled code: a folder that others can reach is not used", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-"));
  t.after(() => rmSync(folder, { recursive: true }));
  // Everybody can write to the temporary folder itself.
  assert.equal(makePrivateFolder(join(folder, "one")), undefined);
  const open = join(folder, "open");
  mkdirSync(open);
  chmodSync(open, 0o777);
  assert.equal(makePrivateFolder(open), undefined);
});

test("compiled code: where no folder can be made, none is used", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "file"), "");
  assert.equal(makePrivateFolder(join(folder, "file", "cache")), undefined);
});
