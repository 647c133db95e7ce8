import assert from "node:assert/strict";
import { test } from "node:test";
import { health } from "./health.ts";

const usual = {
  protocol: "auto",
  path: "/healthz",
  method: "GET",
  host: "",
  headers: {},
  status: ["2xx"],
  body: { kind: "any" },
  service: "",
  port: 0,
  intervalMs: 5000,
  unhealthyIntervalMs: 5000,
  timeoutMs: 1000,
  healthy: 2,
  unhealthy: 3,
  jitter: 0.1,
  initial: "up",
};

/** What is said of it. */
function refusal(written: unknown): string {
  const { error } = health.safeParse(written);
  return JSON.stringify(error?.issues ?? []);
}

test("health: a path is short for a map, tcp and grpc are short for themselves", () => {
  assert.deepEqual(health.parse("/healthz"), usual);
  assert.deepEqual(health.parse({ path: "/healthz" }), usual);
  assert.deepEqual(health.parse("tcp"), { ...usual, protocol: "tcp", path: "/" });
  assert.deepEqual(health.parse("grpc"), { ...usual, protocol: "grpc", path: "/" });
});

test("health: all of it is what it says", () => {
  const all = {
    protocol: "https",
    path: "/ready?deep=1",
    method: "POST",
    host: "API.internal:8443",
    headers: { "X-Probe": "yes" },
    status: [200, "3xx"],
    body: { regex: "ok.*" },
    port: 9000,
    interval: "10s",
    unhealthyInterval: "2s",
    timeout: "500ms",
    healthy: 1,
    unhealthy: 5,
    jitter: "0%",
    initial: "down",
  } as const;
  assert.deepEqual(health.parse(all), {
    ...usual,
    protocol: "https",
    path: "/ready?deep=1",
    method: "POST",
    host: "api.internal:8443",
    headers: { "x-probe": "yes" },
    status: ["200", "3xx"],
    body: { kind: "regex", text: "ok.*" },
    port: 9000,
    intervalMs: 10_000,
    unhealthyIntervalMs: 2000,
    timeoutMs: 500,
    healthy: 1,
    unhealthy: 5,
    jitter: 0,
    initial: "down",
  });
});

test("health: a check may not take longer than the time to the next", () => {
  assert.match(refusal({ path: "/", timeout: "6s" }), /longer than interval \(5s\)/);
  const hasty = { path: "/", timeout: "2s", unhealthyInterval: "1s" };
  assert.match(refusal(hasty), /longer than unhealthyInterval \(1s\)/);
  assert.equal(refusal({ path: "/", timeout: "5s" }), "[]");
  assert.equal(health.parse({ path: "/", unhealthyInterval: "500ms" }).timeoutMs, 500);
});

test("health: what a protocol has nothing to do with is refused", () => {
  assert.match(refusal({ protocol: "tcp", path: "/" }), /path means nothing to a check by tcp/);
  assert.match(refusal({ protocol: "grpc", status: 200 }), /status means nothing/);
  assert.match(refusal({ path: "/", service: "shop" }), /service means nothing to a check by http/);
  assert.match(refusal({ method: "HEAD", body: "ok" }), /an answer to HEAD has no body/);
});

test("health: neither a request line nor an expression can be smuggled in", () => {
  for (const path of ["/a b", "/a\r\nx: y", "/a#b", "healthz", "/ä"]) {
    assert.notEqual(refusal({ path }), "[]", path);
    assert.notEqual(refusal(path), "[]", path);
  }
  assert.match(refusal({ headers: { host: "a" } }), /cannot be set/);
  assert.match(refusal({ body: { regex: "(a)\\1" } }), /message/);
});
