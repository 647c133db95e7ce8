import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { policyNames } from "./gen-policies.ts";
import { newPolicy } from "./new-policy.ts";

test("new policy: writes code, test and page in a folder that counts as a policy", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-policies-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const place = newPolicy("add-stamp", folder);
  const files = readdirSync(place).sort();
  assert.deepEqual(files, ["add-stamp.md", "add-stamp.test.ts", "add-stamp.ts"]);
  assert.deepEqual(policyNames(folder), ["add-stamp"]);
  assert.throws(() => newPolicy("add-stamp", folder), /there is a policy add-stamp already/);
});

test("new policy: refuses a name that is not kebab-case, before it writes anything", () => {
  for (const name of ["", "Rate-Limit", "rate_limit", "../x", "1st"]) {
    assert.throws(() => newPolicy(name, "no-such-folder"), /is not kebab-case/);
  }
});
