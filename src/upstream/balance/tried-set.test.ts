import assert from "node:assert/strict";
import { test } from "node:test";
import { equalTargets } from "../../../test/support/balancing.ts";
import { TriedSet } from "./tried-set.ts";

test("tried set: knows what was added, also past its first room, until it is cleared", () => {
  const targets = equalTargets(10);
  const tried = new TriedSet();
  for (let round = 0; round < 2; round++) {
    for (const [count, target] of targets.entries()) {
      assert.equal(tried.has(target), false);
      tried.add(target);
      assert.equal(tried.has(target), true);
      assert.equal(tried.size, count + 1);
    }
    tried.clear();
    assert.equal(tried.size, 0);
    assert.ok(!targets.some((target) => tried.has(target)));
  }
});
