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
} from "../../../test/support/balancing.ts";
import { PeakEwma } from "./peak-ewma.ts";
import type { Target } from "./target.ts";

const DECAY_MS = 10_000;
const request = new FakeRequest();

/** Serves one request after another, each as slow as its target, and counts them by target. */
function serve(
  balancer: PeakEwma,
  latenciesMs: readonly number[],
  times: number,
  clock: { nowMs: number },
): number[] {
  const counts = latenciesMs.map(() => 0);
  for (let i = 0; i < times; i++) {
    const target = balancer.pick(request, noTargets)!;
    counts[target.index]! += 1;
    balancer.started(target);
    clock.nowMs += latenciesMs[target.index]!;
    balancer.ended(target, latenciesMs[target.index]!, false);
  }
  return counts;
}

/** An open stream of requests, so that many are in flight. */
function serveOpen(
  balancer: PeakEwma,
  latencyOf: (target: Target) => number,
  clock: { nowMs: number },
): number[] {
  const counts = balancer.targets.map(() => 0);
  const open: { target: Target; startMs: number; endMs: number }[] = [];
  for (let i = 0; i < 20_000; i++, clock.nowMs += 1) {
    for (let at = open.length - 1; at >= 0; at--) {
      const { target, startMs, endMs } = open[at]!;
      if (endMs > clock.nowMs) continue;
      balancer.ended(target, endMs - startMs, false);
      open.splice(at, 1);
    }
    const target = balancer.pick(request, noTargets)!;
    counts[target.index]! += 1;
    balancer.started(target);
    open.push({ target, startMs: clock.nowMs, endMs: clock.nowMs + latencyOf(target) });
  }
  return counts;
}

test("peak ewma: the quicker target gets the requests, the slow one is tried now and then", () => {
  const context = balanceContext(1);
  const balancer = new PeakEwma(equalTargets(2), context, DECAY_MS);
  const counts = serve(balancer, [5, 100], 5000, context.clock);
  assert.ok(counts[0]! > 4900, counts.join());
  assert.ok(counts[1]! >= 1, counts.join());
});

test("peak ewma: one slow answer is felt at once and forgotten with time", () => {
  const context = balanceContext(2);
  const balancer = new PeakEwma(equalTargets(2), context, DECAY_MS);
  serve(balancer, [10, 11], 50, context.clock);
  const [first] = balancer.targets as [Target, Target];
  balancer.started(first);
  balancer.ended(first, 2000, false);
  assert.equal(first.state.latency[0], 2000);
  assert.deepEqual(serve(balancer, [10, 11], 100, context.clock), [0, 100]);
  context.clock.nowMs += 60_000;
  assert.ok(serve(balancer, [10, 11], 100, context.clock)[0]! > 0);
  assert.ok(serve(balancer, [10, 11], 5000, context.clock)[0]! > 2500);
});

test("peak ewma: a good answer lowers the average by how much time went by", () => {
  const context = balanceContext(3);
  const balancer = new PeakEwma(equalTargets(1), context, 1000);
  const [target] = balancer.targets as [Target];
  const observe = (latencyMs: number) => {
    balancer.started(target);
    balancer.ended(target, latencyMs, false);
  };
  observe(100);
  context.clock.nowMs += 1000;
  observe(0);
  assert.ok(Math.abs(target.state.latency[0]! - 100 / Math.E) < 0.1, `${target.state.latency[0]}`);
});

test("peak ewma: requests in flight weigh as much as latency", () => {
  const context = balanceContext(4);
  const balancer = new PeakEwma(equalTargets(2), context, DECAY_MS);
  serve(balancer, [10, 10], 10, context.clock);
  const [first, second] = balancer.targets as [Target, Target];
  for (let i = 0; i < 3; i++) balancer.started(first);
  for (let i = 0; i < 20; i++) assert.equal(balancer.pick(request, noTargets), second);
});

test("peak ewma: a target that fails at once does not draw the traffic", () => {
  const context = balanceContext(5);
  const balancer = new PeakEwma(equalTargets(2), context, DECAY_MS);
  const counts = [0, 0];
  for (let i = 0; i < 1000; i++) {
    const target = balancer.pick(request, noTargets)!;
    counts[target.index]! += 1;
    balancer.started(target);
    context.clock.nowMs += 20;
    balancer.ended(target, target.index === 0 ? 0.1 : 20, target.index === 0);
  }
  assert.ok(counts[0]! < 15, counts.join());
});

test("peak ewma: a target without history gets a single request until it has answered", () => {
  const context = balanceContext(6);
  const balancer = new PeakEwma(equalTargets(3), context, DECAY_MS);
  const [known, alsoKnown, fresh] = balancer.targets as [Target, Target, Target];
  for (const target of [known, alsoKnown]) {
    balancer.started(target);
    balancer.ended(target, 500, false);
  }
  let picks = 0;
  for (let i = 0; i < 200; i++) {
    const target = balancer.pick(request, noTargets)!;
    balancer.started(target);
    if (target === fresh) picks++;
    else balancer.ended(target, 500, false);
  }
  assert.equal(picks, 1);
});

test("peak ewma: idle equal targets share by weight, and loaded ones do too", () => {
  const weights = [1, 3];
  const idle = new PeakEwma(weightedTargets(weights), balanceContext(7), DECAY_MS);
  for (const target of idle.targets) {
    idle.started(target);
    idle.ended(target, 10, false);
  }
  assert.ok(chiSquare(countPicks(idle, 10_000), weights) < 10.8);
  const context = balanceContext(8);
  const loaded = new PeakEwma(weightedTargets(weights), context, DECAY_MS);
  const counts = serveOpen(loaded, () => 50, context.clock);
  assert.ok(Math.abs(counts[1]! / counts[0]! - 3) < 0.3, counts.join());
});

test("peak ewma: under load a target three times as slow gets about a third as much", () => {
  const context = balanceContext(9);
  const balancer = new PeakEwma(equalTargets(2), context, DECAY_MS);
  const counts = serveOpen(balancer, (target) => (target.index === 0 ? 30 : 90), context.clock);
  const ratio = counts[0]! / counts[1]!;
  // Requests in flight are equal at a third; latency itself pushes it further.
  assert.ok(ratio > 3 && ratio < 12, `${ratio}`);
});

test("peak ewma: clients that wait long and leave show that a target is slow, those that leave soon do not", () => {
  const context = balanceContext(7);
  const balancer = new PeakEwma(equalTargets(2), context, DECAY_MS);
  serve(balancer, [10, 12], 10, context.clock);
  const [first, second] = balancer.targets as [Target, Target];
  balancer.started(second);
  balancer.left(second, 1);
  for (let i = 0; i < 20; i++) assert.equal(balancer.pick(request, noTargets), first);
  balancer.started(first);
  balancer.left(first, 2000);
  for (let i = 0; i < 20; i++) assert.equal(balancer.pick(request, noTargets), second);
});
