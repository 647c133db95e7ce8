import assert from "node:assert/strict";
import { test } from "node:test";
import {
  balanceContext,
  countPicks,
  equalTargets,
  FakeRequest,
  noTargets,
  weightedTargets,
  setHealth,
} from "../../../test/support/balancing.ts";
import { RoundRobin } from "./round-robin.ts";
import { smoothSequence } from "./smooth-sequence.ts";
import { TriedSet } from "./tried-set.ts";

const request = new FakeRequest();

function order(weights: readonly number[]): string {
  return smoothSequence(weightedTargets(weights))
    .map((target) => "ABCDEF"[target.index])
    .join("");
}

test("round robin: heavy targets are spread as NGINX spreads them", () => {
  assert.equal(order([5, 1, 1]), "AABACAA");
  assert.equal(order([3, 1]), "AABA");
  assert.equal(order([2, 2, 4]), "CABC");
  assert.equal(order([7, 7, 7]), "ABC");
  assert.equal(order([0.5, 0.5]), "AB");
  assert.equal(order([1, 0]), "A");
  assert.equal(order([]), "");
});

test("round robin: shares follow the weights exactly over one round", () => {
  const weights = [8, 4, 2, 1, 1];
  const balancer = new RoundRobin(weightedTargets(weights), balanceContext(1));
  assert.deepEqual(countPicks(balancer, 1600), [800, 400, 200, 100, 100]);
});

test("round robin: unwieldy weights are met within a tenth of a percent of the whole", () => {
  const weights = [65_535, 40_001, 1, 9_973];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const balancer = new RoundRobin(weightedTargets(weights), balanceContext(1));
  const counts = countPicks(balancer, 20_480);
  for (const [index, weight] of weights.entries()) {
    assert.ok(Math.abs(counts[index]! / 20_480 - weight / total) < 0.001, counts.join());
  }
  assert.ok(counts[2]! > 0);
});

test("round robin: a target that cannot serve is stepped over and the others keep their shares", () => {
  const balancer = new RoundRobin(weightedTargets([3, 1, 2]), balanceContext(1));
  balancer.targets[1]!.draining = true;
  assert.deepEqual(countPicks(balancer, 500), [300, 0, 200]);
  balancer.targets[1]!.draining = false;
  setHealth(balancer.targets[0]!, false);
  assert.deepEqual(countPicks(balancer, 300), [0, 100, 200]);
});

test("round robin: equal targets alternate evenly when one of them is out", () => {
  const balancer = new RoundRobin(equalTargets(3), balanceContext(1));
  setHealth(balancer.targets[1]!, false);
  assert.deepEqual(countPicks(balancer, 1000), [500, 0, 500]);
});

test("round robin: workers begin at different places", () => {
  const firsts = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    const balancer = new RoundRobin(equalTargets(10), balanceContext(seed));
    firsts.add(balancer.pick(request, noTargets)!.index);
  }
  assert.equal(firsts.size, 10);
});

test("round robin: what was tried is not picked again, and then nothing is", () => {
  const balancer = new RoundRobin(weightedTargets([5, 1, 1]), balanceContext(1));
  const tried = new TriedSet();
  for (let i = 0; i < 3; i++) tried.add(balancer.pick(request, tried)!);
  assert.equal(tried.size, 3);
  assert.equal(balancer.pick(request, tried), undefined);
});
