import assert from "node:assert/strict";
import { test } from "node:test";
import {
  balanceContext,
  chiSquare,
  countPicks,
  equalTargets,
  FakeRequest,
  noTargets,
  weightedTargets,
  setHealth,
} from "../../../test/support/balancing.ts";
import { Random } from "../../base/random.ts";
import { RandomChoice } from "./random-choice.ts";
import { TriedSet } from "./tried-set.ts";
import { WeightedSampler } from "./weighted-sampler.ts";

const request = new FakeRequest();

test("weighted sampler: chances follow the weights", () => {
  const cases = [[1, 1, 1], [1, 2, 3, 4], [1, 0, 9], [0.1, 0.7, 0.2], [1000, 1], [5]];
  for (const weights of cases) {
    const sampler = new WeightedSampler(weights);
    const random = new Random(weights.length);
    const counts = weights.map(() => 0);
    for (let i = 0; i < 50_000; i++) counts[sampler.sample(random)]! += 1;
    // 3 degrees of freedom at most, one in a thousand.
    assert.ok(chiSquare(counts, weights) < 16.3, `${weights.join()}: ${counts.join()}`);
    for (const [index, weight] of weights.entries())
      if (weight === 0) assert.equal(counts[index], 0);
  }
});

test("random: idle targets are picked in proportion to their weights", () => {
  const weights = [1, 3, 6];
  const balancer = new RandomChoice(weightedTargets(weights), balanceContext(1));
  assert.ok(chiSquare(countPicks(balancer, 20_000), weights) < 13.8);
});

test("random: of two choices the less loaded wins, so that loads stay close", () => {
  const balancer = new RandomChoice(equalTargets(50), balanceContext(2));
  for (let i = 0; i < 5000; i++) balancer.started(balancer.pick(request, noTargets)!);
  const loads = balancer.targets.map((target) => target.inFlight());
  // One choice alone would leave a spread of about 60 here.
  assert.ok(Math.max(...loads) - Math.min(...loads) < 15, loads.join());
});

test("random: requests held open spread by weight", () => {
  const balancer = new RandomChoice(weightedTargets([1, 4]), balanceContext(3));
  for (let i = 0; i < 1000; i++) balancer.started(balancer.pick(request, noTargets)!);
  assert.ok(Math.abs(balancer.targets[1]!.inFlight() - 800) <= 4);
});

test("random: targets that cannot serve are left out, even if most of the weight is theirs", () => {
  const balancer = new RandomChoice(weightedTargets([1000, 1, 1]), balanceContext(4));
  setHealth(balancer.targets[0]!, false);
  const counts = countPicks(balancer, 2000);
  assert.equal(counts[0], 0);
  assert.ok(Math.abs(counts[1]! - 1000) < 110, counts.join());
});

test("random: every target is found before the request is given up", () => {
  for (let seed = 0; seed < 200; seed++) {
    const balancer = new RandomChoice(weightedTargets([1000, 1, 1, 1]), balanceContext(seed));
    const tried = new TriedSet();
    for (let i = 0; i < 4; i++) tried.add(balancer.pick(request, tried)!);
    assert.equal(balancer.pick(request, tried), undefined);
  }
});
