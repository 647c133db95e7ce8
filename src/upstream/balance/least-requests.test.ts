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
import { LeastRequests } from "./least-requests.ts";

const request = new FakeRequest();

test("least requests: the target with the fewest requests in flight is picked", () => {
  const balancer = new LeastRequests(equalTargets(4), balanceContext(1));
  for (const [index, inFlight] of [3, 1, 2, 5].entries()) {
    for (let i = 0; i < inFlight; i++) balancer.started(balancer.targets[index]!);
  }
  assert.equal(balancer.pick(request, noTargets), balancer.targets[1]);
  balancer.started(balancer.targets[1]!);
  balancer.started(balancer.targets[1]!);
  assert.equal(balancer.pick(request, noTargets), balancer.targets[2]);
});

test("least requests: requests held open spread by weight to within one", () => {
  const weights = [1, 2, 4];
  const balancer = new LeastRequests(weightedTargets(weights), balanceContext(2));
  for (let i = 0; i < 700; i++) balancer.started(balancer.pick(request, noTargets)!);
  for (const target of balancer.targets) {
    assert.ok(Math.abs(target.inFlight() - 100 * target.weight) <= 1, `${target.inFlight()}`);
  }
});

test("least requests: among idle targets chance decides, in proportion to the weights", () => {
  const weights = [1, 2, 5];
  const balancer = new LeastRequests(weightedTargets(weights), balanceContext(3));
  // 2 degrees of freedom, one in a thousand.
  assert.ok(chiSquare(countPicks(balancer, 8000), weights) < 13.8);
});

test("least requests: of very many targets some are looked at, and all in the long run", () => {
  const balancer = new LeastRequests(equalTargets(500), balanceContext(4));
  const counts = countPicks(balancer, 50_000);
  // 499 degrees of freedom, one in a thousand.
  assert.ok(
    chiSquare(
      counts,
      balancer.targets.map(() => 1),
    ) < 603,
  );
  for (let i = 0; i < 5000; i++) balancer.started(balancer.pick(request, noTargets)!);
  const loads = balancer.targets.map((target) => target.inFlight());
  assert.ok(Math.max(...loads) <= 12 && Math.min(...loads) >= 8, `${Math.min(...loads)}`);
});

test("least requests: a target four times as slow gets a quarter of the requests", () => {
  const balancer = new LeastRequests(equalTargets(2), balanceContext(5));
  const served = [0, 0];
  const busyUntil: { target: (typeof balancer.targets)[number]; at: number }[] = [];
  for (let now = 0; now < 20_000; now++) {
    for (let i = busyUntil.length - 1; i >= 0; i--) {
      if (busyUntil[i]!.at > now) continue;
      balancer.ended(busyUntil[i]!.target, 1, false);
      busyUntil.splice(i, 1);
    }
    const target = balancer.pick(request, noTargets)!;
    balancer.started(target);
    served[target.index]! += 1;
    busyUntil.push({ target, at: now + (target.index === 0 ? 10 : 40) });
  }
  const ratio = served[0]! / served[1]!;
  assert.ok(ratio > 3.2 && ratio < 4.8, `${ratio}`);
});
