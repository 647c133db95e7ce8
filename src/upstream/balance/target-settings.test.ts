import assert from "node:assert/strict";
import { test } from "node:test";
import { expandTargets, hostnamesOf } from "./target-settings.ts";
import type { ConfiguredTarget } from "./target-settings.ts";
import { targetKey } from "./target.ts";

function configured(host: string, options: Partial<ConfiguredTarget> = {}): ConfiguredTarget {
  const url = `http://${host}:80`;
  return {
    url,
    scheme: "http",
    host,
    port: 80,
    socketPath: "",
    weight: 1,
    drain: false,
    priority: 0,
    zone: "",
    ...options,
  };
}

const socket = configured("", {
  scheme: "unix",
  socketPath: "/run/a.sock",
  url: "unix:/run/a.sock",
});

test("expand targets: a name becomes one target for each address, each with the whole weight", () => {
  const endpoints = { "users.internal": ["10.0.0.1", "fd00::1"] };
  const targets = expandTargets("users", [configured("users.internal", { weight: 3 })], endpoints);
  assert.deepEqual(targets.map(targetKey), ["http://10.0.0.1:80", "http://[fd00::1]:80"]);
  assert.deepEqual(
    targets.map(({ weight, host, service }) => [weight, host, service]),
    [
      [3, "users.internal", "users"],
      [3, "users.internal", "users"],
    ],
  );
});

test("expand targets: addresses and sockets stand for themselves", () => {
  const targets = expandTargets("users", [configured("127.0.0.1"), configured("::1"), socket], {});
  assert.deepEqual(targets.map(targetKey), [
    "http://127.0.0.1:80",
    "http://[::1]:80",
    "unix:/run/a.sock",
  ]);
});

test("expand targets: a name without addresses gives none", () => {
  assert.deepEqual(expandTargets("users", [configured("gone")], { gone: [] }), []);
  assert.deepEqual(expandTargets("users", [configured("unknown")], {}), []);
});

test("expand targets: one place named twice is one target with both weights", () => {
  const both = [configured("a", { weight: 2 }), configured("10.0.0.1", { weight: 3 })];
  const targets = expandTargets("users", both, { a: ["10.0.0.1"] });
  assert.deepEqual(
    targets.map(({ weight }) => weight),
    [5],
  );
});

test("expand targets: one place drains only if all its entries do, and then adds no weight", () => {
  const place = configured("10.0.0.1", { weight: 2 });
  const draining = { ...place, weight: 4, drain: true };
  const expand = (...entries: ConfiguredTarget[]) => {
    const [{ weight, draining: drains }] = expandTargets("users", entries, {}) as [never];
    return [weight, drains];
  };
  assert.deepEqual(expand(place, draining), [2, false]);
  assert.deepEqual(expand(draining, place), [2, false]);
  assert.deepEqual(expand(draining, draining), [8, true]);
});

test("hostnames of targets: names only, each once", () => {
  const all = [
    configured("a"),
    configured("a"),
    configured("127.0.0.1"),
    configured("::1"),
    socket,
  ];
  assert.deepEqual([...hostnamesOf(all)], ["a"]);
});
