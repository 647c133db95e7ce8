import assert from "node:assert/strict";
import { test } from "node:test";
import {
  balanceContext,
  countPicks,
  equalTargets,
  FakeRequest,
  noTargets,
  setEjectedUntil,
  setHealth,
  stickyConfig,
  weightedTargets,
} from "../../../test/support/balancing.ts";
import { RETURNED_AT } from "../target-record.ts";
import type { BalanceConfig, StatelessBalanceConfig } from "./balance-config.ts";
import type { Balancer } from "./balancer.ts";
import { compileBalancer } from "./compile-balancer.ts";
import { plainRules, type RotationRules } from "./rotation-rules.ts";
import { TriedSet } from "./tried-set.ts";

const byHash: StatelessBalanceConfig = {
  name: "hash",
  by: { from: "client", name: "" },
  boundedLoad: 100,
};
const stateless: StatelessBalanceConfig[] = [
  { name: "round-robin" },
  { name: "least-requests" },
  { name: "random" },
  { name: "peak-ewma", decayMs: 10_000 },
  byHash,
];
const configs: BalanceConfig[] = [...stateless, stickyConfig()];
const slowly: RotationRules = {
  ...plainRules,
  slowStart: { windowMs: 10_000, aggression: 1, least: 0.1 },
};

/** How many of `picks` requests with different keys each target gets. */
function shares(balancer: Balancer, picks = 2000): number[] {
  const counts = balancer.targets.map(() => 0);
  for (let i = 0; i < picks; i++) {
    counts[balancer.pick(new FakeRequest(`key ${i}`), noTargets)!.index]! += 1;
  }
  return counts;
}

function each(check: (config: BalanceConfig) => void): void {
  for (const config of configs) check(config);
}

test("rotation: what is ejected gets nothing, at once and until its time is over", () => {
  each((config) => {
    const context = balanceContext(1);
    const balancer = compileBalancer(config, equalTargets(4), context);
    assert.ok(shares(balancer)[2]! > 0);
    setEjectedUntil(balancer.targets[2]!, 50);
    assert.equal(shares(balancer)[2], 0, config.name);
    context.clock.nowMs = 4900;
    assert.equal(shares(balancer)[2], 0, config.name);
    context.clock.nowMs = 5000;
    assert.ok(shares(balancer)[2]! > 300, config.name);
  });
});

test("rotation: below the panic threshold all targets are used, and no longer once enough are back", () => {
  each((config) => {
    const context = balanceContext(2);
    const balancer = compileBalancer(config, equalTargets(4), context);
    const [a, b, c] = balancer.targets as [never, never, never];
    setHealth(a, false);
    setEjectedUntil(b, 1000);
    assert.deepEqual(shares(balancer).map(Math.sign), [0, 0, 1, 1], config.name);
    setHealth(c, false);
    context.clock.nowMs = 100;
    assert.deepEqual(shares(balancer).map(Math.sign), [1, 1, 1, 1], config.name);
    setHealth(c, true);
    context.clock.nowMs = 200;
    assert.deepEqual(shares(balancer).map(Math.sign), [0, 0, 1, 1], config.name);
  });
});

test("rotation: in a panic a target that cannot be connected to is left alone still", () => {
  const context = balanceContext(3);
  const balancer = compileBalancer({ name: "round-robin" }, equalTargets(3), context);
  for (const target of balancer.targets) setHealth(target, false);
  balancer.unreachable(balancer.targets[0]!);
  assert.deepEqual(shares(balancer, 100), [0, 50, 50]);
});

test("rotation: without a panic threshold the last usable target gets everything", () => {
  each((config) => {
    const rules = { ...plainRules, panicShare: 0 };
    const balancer = compileBalancer(config, equalTargets(10), balanceContext(4), rules);
    for (const target of balancer.targets.slice(1)) setHealth(target, false);
    assert.deepEqual(shares(balancer, 100), [100, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

test("slow start: who comes back gets its share by degrees, in every way of balancing", () => {
  for (const config of stateless) {
    const context = balanceContext(5);
    const balancer = compileBalancer(config, equalTargets(5), context, slowly);
    const whole = shares(balancer, 5000)[0]!;
    balancer.targets[0]!.state.record[RETURNED_AT] = 100;
    const seen: number[] = [];
    for (const nowMs of [10_000, 12_000, 15_000, 18_000, 20_000]) {
      context.clock.nowMs = nowMs;
      seen.push(shares(balancer, 5000)[0]! / whole);
    }
    const label = `${config.name}: ${seen.map((share) => share.toFixed(2)).join(", ")}`;
    for (const [at, expected] of [0.1, 0.2, 0.5, 0.8, 1].entries()) {
      assert.ok(Math.abs(seen[at]! - expected) < 0.12, label);
    }
  }
});

test("slow start: the end of an ejection begins it, without anyone writing it down", () => {
  const context = balanceContext(6);
  const balancer = compileBalancer({ name: "round-robin" }, equalTargets(2), context, slowly);
  setEjectedUntil(balancer.targets[0]!, 10);
  context.clock.nowMs = 1000;
  assert.ok(shares(balancer, 1000)[0]! < 150);
  context.clock.nowMs = 11_000;
  assert.equal(shares(balancer, 1000)[0], 500);
});

test("slow start: aggression lets the share grow faster at first", () => {
  const context = balanceContext(7);
  const rules = { ...slowly, slowStart: { ...slowly.slowStart!, aggression: 2 } };
  const balancer = compileBalancer({ name: "round-robin" }, equalTargets(2), context, rules);
  balancer.targets[0]!.state.record[RETURNED_AT] = 1;
  context.clock.nowMs = 2600;
  // (2.5 s / 10 s) ^ (1 / 2) is one half, beside one whole.
  assert.ok(Math.abs(shares(balancer, 3000)[0]! - 1000) < 100);
});

test("slow start: where all have just come back they share as ever", () => {
  for (const config of stateless) {
    const balancer = compileBalancer(config, weightedTargets([1, 3]), balanceContext(8), slowly);
    for (const { state } of balancer.targets) state.record[RETURNED_AT] = 1;
    const [first = 0, second = 0] = countPicks(balancer, 4000, new FakeRequest());
    assert.equal(first + second, 4000);
    assert.ok(first > 600 && first < 1600, `${config.name}: ${first}`);
  }
});

test("slow start: a target that comes back alone gets everything, also as the last to be tried", () => {
  each((config) => {
    const balancer = compileBalancer(config, equalTargets(2), balanceContext(9), slowly);
    const [first, second] = balancer.targets as [never, (typeof balancer.targets)[0]];
    second.state.record[RETURNED_AT] = 1;
    const tried = new TriedSet();
    tried.add(first);
    for (let i = 0; i < 50; i++)
      assert.equal(balancer.pick(new FakeRequest(`${i}`), tried), second);
  });
});

test("slow start: a key that has come to a target stays there", () => {
  const context = balanceContext(10);
  const balancer = compileBalancer(byHash, equalTargets(4), context, slowly);
  balancer.targets[1]!.state.record[RETURNED_AT] = 1;
  const arrived = new Set<number>();
  for (let nowMs = 100; nowMs <= 10_100; nowMs += 500) {
    context.clock.nowMs = nowMs;
    for (let key = 0; key < 500; key++) {
      const isThere = balancer.pick(new FakeRequest(`${key}`), noTargets) === balancer.targets[1];
      if (isThere) arrived.add(key);
      else assert.ok(!arrived.has(key), `key ${key} at ${nowMs}`);
    }
  }
  assert.ok(arrived.size > 80);
});
