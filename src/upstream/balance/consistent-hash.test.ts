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
import type { HashConfig } from "./balance-config.ts";
import { ConsistentHash } from "./consistent-hash.ts";
import type { Target } from "./target.ts";
import { TriedSet } from "./tried-set.ts";

const config: HashConfig = { name: "hash", by: { from: "client", name: "" }, boundedLoad: 1.25 };

function totalWeight(targets: readonly Target[]): number {
  return targets.reduce((sum, target) => sum + target.weight, 0);
}

test("hash: a key goes to the same target in every worker while that has room", () => {
  const one = new ConsistentHash(equalTargets(10), balanceContext(1), config);
  const two = new ConsistentHash(equalTargets(10), balanceContext(2), config);
  const seen = new Set<number>();
  for (let client = 0; client < 500; client++) {
    const request = new FakeRequest(`10.0.0.${client}`);
    const { index } = one.pick(request, noTargets)!;
    assert.equal(one.pick(request, noTargets)!.index, index);
    assert.equal(two.pick(request, noTargets)!.index, index);
    seen.add(index);
  }
  assert.equal(seen.size, 10);
});

test("hash: the key comes from where the config says", () => {
  const asked: string[] = [];
  const request = new FakeRequest("x");
  request.header = (name) => void asked.push(`header ${name}`);
  request.cookie = (name) => void asked.push(`cookie ${name}`);
  request.param = (name) => void asked.push(`param ${name}`);
  for (const from of ["header", "cookie", "param"] as const) {
    const balancer = new ConsistentHash(equalTargets(2), balanceContext(1), {
      ...config,
      by: { from, name: "user" },
    });
    balancer.pick(request, noTargets);
  }
  assert.deepEqual(asked, ["header user", "cookie user", "param user"]);
});

test("hash: requests without the key are spread at random", () => {
  const by = { from: "cookie", name: "missing" } as const;
  const balancer = new ConsistentHash(weightedTargets([1, 3]), balanceContext(3), {
    ...config,
    by,
  });
  assert.ok(chiSquare(countPicks(balancer, 8000), [1, 3]) < 10.8);
});

test("hash: no target is ever loaded beyond its bound, whatever comes and goes", () => {
  for (const boundedLoad of [1, 1.25, 2]) {
    for (const weights of [[1, 1, 1, 1], [1, 5, 10], [3]]) {
      const targets = weightedTargets(weights);
      const balancer = new ConsistentHash(targets, balanceContext(4), { ...config, boundedLoad });
      const random = new Random(5);
      const open: Target[] = [];
      for (let i = 0; i < 20_000; i++) {
        const goal = i % 4000 < 2000 ? 0.3 : 0.7;
        if (open.length > 0 && random.fraction() < goal) {
          const at = random.below(open.length);
          balancer.ended(open[at]!, 1, false);
          open.splice(at, 1);
          continue;
        }
        // Few keys, and one of them hot.
        const key = random.fraction() < 0.5 ? "hot" : `key-${random.below(20)}`;
        const target = balancer.pick(new FakeRequest(key), noTargets)!;
        balancer.started(target);
        open.push(target);
        const share = (open.length * target.weight) / totalWeight(targets);
        assert.ok(target.inFlight() <= Math.ceil(boundedLoad * share), `${boundedLoad}`);
      }
    }
  }
});

test("hash: past its bound a key goes to one and the same other target", () => {
  const balancer = new ConsistentHash(equalTargets(5), balanceContext(6), config);
  const request = new FakeRequest("hot");
  const first = balancer.pick(request, noTargets)!;
  for (let i = 0; i < 10; i++) balancer.started(first);
  const second = balancer.pick(request, noTargets)!;
  assert.notEqual(second, first);
  for (let i = 0; i < 10; i++) assert.equal(balancer.pick(request, noTargets), second);
});

test("hash: when a target is down only its keys move, and they come back", () => {
  const balancer = new ConsistentHash(equalTargets(5), balanceContext(7), config);
  const requests = Array.from({ length: 500 }, (_, i) => new FakeRequest(`key-${i}`));
  const before = requests.map((request) => balancer.pick(request, noTargets)!.index);
  setHealth(balancer.targets[2]!, false);
  for (const [i, request] of requests.entries()) {
    const { index } = balancer.pick(request, noTargets)!;
    if (before[i] === 2) assert.notEqual(index, 2);
    else assert.equal(index, before[i]);
  }
  setHealth(balancer.targets[2]!, true);
  assert.deepEqual(
    requests.map((request) => balancer.pick(request, noTargets)!.index),
    before,
  );
});

test("hash: targets that were tried are passed over even at the bound, and then nothing is left", () => {
  const balancer = new ConsistentHash(equalTargets(4), balanceContext(8), config);
  for (const target of balancer.targets) for (let i = 0; i < 5; i++) balancer.started(target);
  const tried = new TriedSet();
  const request = new FakeRequest("key");
  for (let i = 0; i < 4; i++) tried.add(balancer.pick(request, tried)!);
  assert.equal(new Set(balancer.targets.filter((target) => tried.has(target))).size, 4);
  assert.equal(balancer.pick(request, tried), undefined);
});

test("hash: where all targets have been tried nobody is looked for all around the ring", () => {
  const balancer = new ConsistentHash(equalTargets(50), balanceContext(8), config);
  for (const target of balancer.targets) balancer.started(target);
  let looks = 0;
  class CountedSet extends TriedSet {
    override has(target: Target): boolean {
      looks += 1;
      return super.has(target);
    }
  }
  const tried = new CountedSet();
  for (const target of balancer.targets) tried.add(target);
  assert.equal(balancer.pick(new FakeRequest("key"), tried), undefined);
  assert.ok(looks < 250, `${looks} looks, at 50 targets with 160 points each`);
});

test("hash: services without targets, or with none to be had, are no trouble", () => {
  const request = new FakeRequest("key");
  const empty = new ConsistentHash([], balanceContext(9), config);
  assert.equal(empty.pick(request, noTargets), undefined);
  assert.equal(empty.pick(new FakeRequest(), noTargets), undefined);
  const idle = new ConsistentHash(weightedTargets([0, 0]), balanceContext(9), config);
  assert.ok(idle.pick(request, noTargets));
});
