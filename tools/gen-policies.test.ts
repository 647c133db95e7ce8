import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isPolicyIndexStale, policyIndex, policyNames } from "./gen-policies.ts";

test("policy index: is what the folders say (else run: npm run gen)", () => {
  assert.equal(isPolicyIndexStale(), false);
});

test("policy index: a folder with a file of its own name is a policy, sorted by name", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gateward-policies-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ["rate-limit", "cors", "not-finished"]) mkdirSync(join(folder, name));
  for (const name of ["rate-limit", "cors"]) writeFileSync(join(folder, name, `${name}.ts`), "");
  writeFileSync(join(folder, "index.ts"), "");
  assert.deepEqual(policyNames(folder), ["cors", "rate-limit"]);
});

test("policy index: imports each policy and lists it under its name", () => {
  const text = policyIndex(["cors", "rate-limit"]);
  assert.match(text, /^import cors from "\.\/cors\/cors\.ts";\nimport rateLimit from/m);
  assert.match(text, /= \{\n {2}cors,\n {2}"rate-limit": rateLimit,\n\};\n/);
});
