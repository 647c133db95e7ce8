import assert from "node:assert/strict";
import { test } from "node:test";
import {
  balanceContext,
  equalTargets,
  FakeRequest,
  noTargets,
  stickyConfig,
  setHealth,
} from "../../../test/support/balancing.ts";
import type { StickyConfig } from "./balance-config.ts";
import type { Balancer } from "./balancer.ts";
import { compileBalancer } from "./compile-balancer.ts";
import { TriedSet } from "./tried-set.ts";

function sticky(count: number, options: Partial<StickyConfig> = {}): Balancer {
  return compileBalancer(stickyConfig(options), equalTargets(count), balanceContext(1));
}

/** Takes the cookie that a response sets, as a browser would. */
function accept(request: FakeRequest, line: string): void {
  const [, name, value] = /^([^=]+)=([^;]+)/.exec(line)!;
  request.cookies[name!] = value!;
}

test("sticky: a client comes back to the target that served it first", () => {
  const balancer = sticky(5);
  const request = new FakeRequest();
  const first = balancer.pick(request, noTargets)!;
  accept(request, balancer.responseCookie(request, first)!);
  for (let i = 0; i < 20; i++) assert.equal(balancer.pick(request, noTargets), first);
  assert.equal(balancer.responseCookie(request, first), undefined);
});

test("sticky: clients without a cookie, or with one that was made up, are spread by the fallback", () => {
  const balancer = sticky(3);
  for (const value of [undefined, "", "10.0.0.1", "__proto__"]) {
    const request = new FakeRequest();
    if (value !== undefined) request.cookies["gw-sticky"] = value;
    const picked = new Set([0, 1, 2].map(() => balancer.pick(request, noTargets)!.index));
    assert.equal(picked.size, 3);
    assert.match(balancer.responseCookie(request, balancer.targets[0]!)!, /^gw-sticky=/);
  }
});

test("sticky: the cookie is the same wherever and whenever it is made, and differs by secret and service", () => {
  const line = (secret: string, service = "users", count = 1) => {
    const targets = equalTargets(count).map((target) => Object.assign(target, { service }));
    const balancer = compileBalancer(stickyConfig({ secret }), targets, balanceContext(count));
    return balancer.responseCookie(new FakeRequest(), targets[0]!)!;
  };
  for (const secret of ["", "a secret"]) {
    assert.match(line(secret), /^gw-sticky=[\w-]{16}; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.equal(line(secret), line(secret, "users", 7), "other targets do not matter");
    assert.notEqual(line(secret), line(secret, "orders"));
  }
  assert.notEqual(line(""), line("a secret"));
  assert.notEqual(line("another"), line("a secret"));
  // Cookies out there name targets by these values: what computes them must not change.
  assert.match(line(""), /^gw-sticky=2aKMW3Kw9kOJfuJM;/);
  assert.match(line("a secret"), /^gw-sticky=8PxRtavGsOwiKSTQ;/);
});

test("sticky: the cookie has the attributes that the config asks for", () => {
  const line = (options: Partial<StickyConfig>) => {
    const balancer = sticky(1, options);
    return balancer
      .responseCookie(new FakeRequest(), balancer.targets[0]!)!
      .replace(/^[^;]*; /, "");
  };
  assert.equal(line({ ttlMs: 90_500 }), "Path=/; Max-Age=91; HttpOnly; SameSite=Lax");
  assert.equal(
    line({ path: "/shop", secure: true, httpOnly: false, sameSite: "none" }),
    "Path=/shop; Secure; SameSite=None",
  );
  assert.throws(() => line({ sameSite: "none" }), /must be secure/);
});

test("sticky: a draining target keeps its clients and gets no others", () => {
  const balancer = sticky(3);
  const request = new FakeRequest();
  const draining = balancer.targets[1]!;
  accept(request, balancer.responseCookie(request, draining)!);
  draining.draining = true;
  for (let i = 0; i < 10; i++) {
    assert.equal(balancer.pick(request, noTargets), draining);
    assert.notEqual(balancer.pick(new FakeRequest(), noTargets), draining);
  }
});

test("sticky: a client whose target is down, tried or gone is bound to another", () => {
  const balancer = sticky(3);
  const request = new FakeRequest();
  const [first, second] = balancer.targets as [
    (typeof balancer.targets)[0],
    (typeof balancer.targets)[0],
  ];
  accept(request, balancer.responseCookie(request, first)!);
  const tried = new TriedSet();
  tried.add(first);
  assert.notEqual(balancer.pick(request, tried), first);
  balancer.unreachable(first);
  assert.notEqual(balancer.pick(request, noTargets), first);
  first.state.ended(false);
  setHealth(first, false);
  assert.notEqual(balancer.pick(request, noTargets), first);
  assert.match(balancer.responseCookie(request, second)!, /^gw-sticky=/);
  const smaller = compileBalancer(stickyConfig(), balancer.targets.slice(1), balanceContext(1));
  assert.notEqual(smaller.pick(request, noTargets), first);
});

test("sticky: what targets go through reaches the fallback", () => {
  const balancer = sticky(2, { fallback: { name: "peak-ewma", decayMs: 10_000 } });
  const target = balancer.targets[0]!;
  balancer.started(target);
  assert.equal(target.inFlight(), 1);
  balancer.ended(target, 25, false);
  assert.equal(target.inFlight(), 0);
  assert.equal(target.state.latency[0], 25);
});
