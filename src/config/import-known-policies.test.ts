import assert from "node:assert/strict";
import { test } from "node:test";
import { importKnownPolicies } from "./import-known-policies.ts";
import { knownPolicies } from "./known-policies.ts";

test("policies: each is found by its name alone, and is the one that the list has", async () => {
  const imported = await importKnownPolicies(Object.keys(knownPolicies));
  assert.deepEqual(Object.keys(imported), Object.keys(knownPolicies));
  for (const [name, policy] of Object.entries(imported)) assert.equal(policy, knownPolicies[name]);
});

test("policies: one that there is not is not found", async () => {
  await assert.rejects(importKnownPolicies(["no-such-policy"]));
});
