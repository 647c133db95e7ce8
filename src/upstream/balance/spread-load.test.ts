import assert from "node:assert/strict";
import { test } from "node:test";
import { spreadLoad } from "./spread-load.ts";

/** Percent of the load and whether it panics, for each group. */
function spread(groups: readonly (readonly [usable: number, total: number])[], panicShare = 0.5) {
  const loads = new Float64Array(groups.length);
  const panics = new Uint8Array(groups.length);
  const usable = Int32Array.from(groups, ([count]) => count);
  const total = Int32Array.from(groups, ([, count]) => count);
  spreadLoad(usable, total, panicShare, loads, panics);
  let before = 0;
  const shares = [...loads].map((load) => {
    const share = Math.round(((load - before) / 2 ** 32) * 100);
    before = load;
    return share;
  });
  return { shares, panics: [...panics] };
}

// The tables of Envoy's documentation, "Priority levels" and "Panic threshold".
test("spread load: a group passes on what is missing of 1 / 1.4 of its targets", () => {
  const cases = [
    [100, 100, [100, 0]],
    [72, 72, [100, 0]],
    [71, 71, [99, 1]],
    [50, 50, [70, 30]],
    [25, 100, [35, 65]],
    [0, 100, [0, 100]],
    [25, 25, [50, 50]],
  ] as const;
  for (const [first, second, shares] of cases) {
    const groups = [
      [first, 100],
      [second, 100],
    ] as const;
    assert.deepEqual(spread(groups, 0).shares, shares, `${first}, ${second}`);
  }
});

test("spread load: three groups fill up one after the other", () => {
  const groups = [
    [20, 100],
    [25, 100],
    [100, 100],
  ] as const;
  assert.deepEqual(spread(groups).shares, [28, 35, 37]);
});

test("spread load: one group panics below its share, and not at it", () => {
  assert.deepEqual(spread([[2, 4]]).panics, [0]);
  assert.deepEqual(spread([[1, 4]]).panics, [1]);
  assert.deepEqual(spread([[0, 4]], 0).panics, [0]);
  assert.deepEqual(spread([[0, 0]]).panics, [0]);
});

test("spread load: no group panics while others can take its load", () => {
  const few = [1, 10] as const;
  assert.deepEqual(spread([few, [9, 10]]).panics, [0, 0]);
  assert.deepEqual(spread([few, [5, 10]]).panics, [1, 0]);
});

test("spread load: where all panic, each gets what it has targets for", () => {
  const groups = [
    [1, 10],
    [0, 30],
  ] as const;
  assert.deepEqual(spread(groups), { shares: [25, 75], panics: [1, 1] });
});
