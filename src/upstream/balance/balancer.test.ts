import assert from "node:assert/strict";
import { test } from "node:test";
import {
  balanceContext,
  FakeRequest,
  noTargets,
  stickyConfig,
  weightedTargets,
  setHealth,
} from "../../../test/support/balancing.ts";
import type { BalanceConfig, StatelessBalanceConfig } from "./balance-config.ts";
import type { Balancer } from "./balancer.ts";
import { compileBalancer } from "./compile-balancer.ts";
import { TriedSet } from "./tried-set.ts";

const stateless: StatelessBalanceConfig[] = [
  { name: "round-robin" },
  { name: "least-requests" },
  { name: "random" },
  { name: "peak-ewma", decayMs: 10_000 },
  { name: "hash", by: { from: "client", name: "" }, boundedLoad: 1.25 },
];
const configs: BalanceConfig[] = [...stateless, stickyConfig()];

/** Every balancer, over targets of the given weights. */
function each(
  weights: readonly number[],
  check: (balancer: Balancer, clock: { nowMs: number }) => void,
): void {
  for (const config of configs) {
    for (let seed = 0; seed < 10; seed++) {
      const context = balanceContext(seed);
      check(compileBalancer(config, weightedTargets(weights), context), context.clock);
    }
  }
}

/** Every index picked in a number of tries, with a different key each. */
function picked(balancer: Balancer): number[] {
  const indices = new Set<number>();
  for (let i = 0; i < 100; i++)
    indices.add(balancer.pick(new FakeRequest(`${i}`), noTargets)!.index);
  return [...indices].toSorted((a, b) => a - b);
}

test("balancers: no targets give no pick, one target is picked once", () => {
  each([], (balancer) => assert.equal(balancer.pick(new FakeRequest("k"), noTargets), undefined));
  each([1], (balancer) => {
    const tried = new TriedSet();
    tried.add(balancer.pick(new FakeRequest("k"), tried)!);
    assert.equal(balancer.pick(new FakeRequest("k"), tried), undefined);
  });
});

test("balancers: each try goes to another target until all were tried", () => {
  each([1, 2, 3, 4, 5, 6], (balancer) => {
    const tried = new TriedSet();
    for (let i = 0; i < 6; i++) {
      const target = balancer.pick(new FakeRequest("k"), tried)!;
      assert.ok(!tried.has(target));
      tried.add(target);
    }
    assert.equal(balancer.pick(new FakeRequest("k"), tried), undefined);
  });
});

test("balancers: draining, weightless and unavailable targets get no new requests", () => {
  each([1, 1, 1, 0, 1], (balancer) => {
    balancer.targets[0]!.draining = true;
    setHealth(balancer.targets[1]!, false);
    assert.deepEqual(picked(balancer), [2, 4]);
  });
});

test("balancers: when none can serve, any is asked, draining ones last", () => {
  each([1, 1, 1], (balancer) => {
    balancer.targets[0]!.draining = true;
    for (const target of balancer.targets) setHealth(target, false);
    assert.deepEqual(picked(balancer), [1, 2]);
    const tried = new TriedSet();
    tried.add(balancer.targets[1]!);
    tried.add(balancer.targets[2]!);
    assert.equal(balancer.pick(new FakeRequest("k"), tried), balancer.targets[0]);
  });
});

test("balancers: after a failed connect a target is left alone for a while, then tried again", () => {
  each([1, 1], (balancer, clock) => {
    const [first] = balancer.targets as [(typeof balancer.targets)[0]];
    clock.nowMs = 5000;
    balancer.started(first);
    balancer.unreachable(first);
    balancer.ended(first, 1, true);
    assert.deepEqual(picked(balancer), [1]);
    clock.nowMs = 5999;
    assert.deepEqual(picked(balancer), [1]);
    clock.nowMs = 6000;
    assert.ok(balancer.pick(new FakeRequest("k"), noTargets));
    assert.equal(first.state.coolUntilMs, 6000);
  });
});

test("balancers: started and ended keep the count of requests in flight", () => {
  each([1, 1], (balancer) => {
    const [first] = balancer.targets as [(typeof balancer.targets)[0]];
    balancer.started(first);
    balancer.started(first);
    assert.equal(first.inFlight(), 2);
    balancer.ended(first, 1, true);
    balancer.ended(first, 1, true);
    assert.equal(first.inFlight(), 0);
    assert.equal(first.state.failuresConsecutive, 2);
    balancer.started(first);
    balancer.ended(first, 1, false);
    assert.equal(first.state.failuresConsecutive, 0);
  });
});

test("balancers: a try that was left says nothing of its target", () => {
  each([1, 1], (balancer, clock) => {
    const [first] = balancer.targets as [(typeof balancer.targets)[0]];
    clock.nowMs = 5000;
    balancer.started(first);
    balancer.started(first);
    balancer.unreachable(first);
    balancer.ended(first, 1, true);
    balancer.left(first, 0);
    assert.equal(first.inFlight(), 0);
    assert.deepEqual([first.state.failuresConsecutive, first.state.coolUntilMs], [1, 6000]);
    assert.deepEqual(picked(balancer), [1]);
  });
});
