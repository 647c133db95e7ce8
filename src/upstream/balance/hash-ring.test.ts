import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chiSquare,
  equalTargets,
  targetSettings,
  weightedTargets,
} from "../../../test/support/balancing.ts";
import { hashString } from "../../base/hash.ts";
import { HashRing } from "./hash-ring.ts";
import { TargetRegistry } from "./target-registry.ts";
import type { Target } from "./target.ts";

const KEYS = 20_000;

/** Which target each of many keys belongs to. */
function ownersOf(targets: readonly Target[]): string[] {
  const ring = new HashRing(targets);
  return Array.from({ length: KEYS }, (_, key) => {
    return targets[ring.owner(ring.pointOf(hashString(`user-${key}`, 1)))]!.key;
  });
}

/** Share of the keys that changed hands. */
function moved(before: readonly string[], after: readonly string[]): number {
  let count = 0;
  for (let key = 0; key < KEYS; key++) if (before[key] !== after[key]) count++;
  return count / KEYS;
}

test("hash ring: a key belongs to the first point at or after the key, around the ring", () => {
  const targets = equalTargets(7);
  const ring = new HashRing(targets);
  const places: { place: number; owner: number }[] = [];
  for (const target of targets) {
    for (let seed = 0; seed < 160; seed++) {
      places.push({ place: hashString(target.key, seed) >>> 0, owner: target.index });
    }
  }
  places.sort((a, b) => a.place - b.place || a.owner - b.owner);
  assert.equal(ring.size, places.length);
  const probes = [0, 1, 0x7fffffff, -0x80000000, -1];
  for (let key = 0; key < 5000; key++) probes.push(hashString(`${key}`, 3));
  for (const { place } of places) probes.push(place | 0, (place + 1) | 0);
  for (const probe of probes) {
    const expected = places.find(({ place }) => place >= probe >>> 0) ?? places[0]!;
    assert.equal(ring.owner(ring.pointOf(probe)), expected.owner);
  }
});

test("hash ring: a target that goes or comes moves hardly more keys than its share, and no others", () => {
  for (const count of [2, 3, 5, 10, 30]) {
    const targets = equalTargets(count);
    const all = ownersOf(targets);
    for (let gone = 0; gone < Math.min(count, 5); gone++) {
      const rest = targets.filter((target) => target.index !== gone);
      const without = ownersOf(rest);
      const share = moved(all, without);
      assert.ok(share <= 1.3 / count, `${share * count} of a share, ${count} targets`);
      for (let key = 0; key < KEYS; key++) {
        if (all[key] !== targets[gone]!.key) assert.equal(without[key], all[key]);
      }
    }
  }
});

test("hash ring: a changed weight moves keys to or from that target only", () => {
  const weights = [1, 2, 3, 1];
  const before = ownersOf(weightedTargets(weights));
  const changed = weightedTargets([1, 2, 6, 1]);
  const after = ownersOf(changed);
  for (let key = 0; key < KEYS; key++) {
    if (after[key] !== before[key]) assert.equal(after[key], changed[2]!.key);
  }
  const share = moved(before, after);
  // From 3 of 7 to 6 of 10.
  assert.ok(Math.abs(share - (0.6 - 3 / 7)) < 0.06, `${share}`);
});

test("hash ring: shares follow the weights within a fifth, also when those are unwieldy", () => {
  for (const weights of [
    [1, 1, 1, 1, 1],
    [1, 2, 4, 8],
    [100, 100, 300],
    [1000, 999, 500],
    [0.5, 1.5],
  ]) {
    const targets = weightedTargets(weights);
    const owners = ownersOf(targets);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const target of targets) {
      const share = owners.filter((key) => key === target.key).length / KEYS;
      const expected = target.weight / total;
      assert.ok(Math.abs(share / expected - 1) < 0.2, `${weights.join()}: ${share} of ${expected}`);
    }
  }
});

test("hash ring: targets of weight 0 own nothing, and no targets make an empty ring", () => {
  const targets = weightedTargets([1, 0, 1]);
  assert.ok(!ownersOf(targets).includes(targets[1]!.key));
  assert.equal(new HashRing([]).size, 0);
  assert.equal(new HashRing(weightedTargets([0, 0])).size, 0);
});

test("hash ring: order and service do not matter, so that all gateways agree", () => {
  const numbers = [1, 2, 3];
  const forward = new TargetRegistry().acquire(numbers.map((number) => targetSettings(number)));
  const reverse = new TargetRegistry().acquire(
    numbers.toReversed().map((number) => targetSettings(number, { service: "elsewhere" })),
  );
  assert.deepEqual(ownersOf(forward), ownersOf(reverse));
});

test("hash ring: thousands of targets stay within the bound on points", () => {
  const ring = new HashRing(weightedTargets(Array.from({ length: 3000 }, (_, i) => 1 + (i % 7))));
  assert.ok(ring.size <= 2 ** 18 * 1.1 && ring.size > 2 ** 17, `${ring.size}`);
  const counts = Array.from({ length: 3000 }, () => 0);
  for (let key = 0; key < 60_000; key++)
    counts[ring.owner(ring.pointOf(hashString(`${key}`, 1)))]!++;
  assert.ok(
    chiSquare(
      counts,
      counts.map((_, i) => 1 + (i % 7)),
    ) <
      3000 * 3,
  );
});
