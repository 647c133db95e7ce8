import assert from "node:assert/strict";
import { test } from "node:test";
import type { LoadResult } from "./load-generators.ts";
import { nginx } from "./nginx.ts";
import type { RunningProxy } from "./proxy.ts";
import { assertClean } from "./slices.ts";
import { median } from "./statistics.ts";

const proxy: RunningProxy = {
  kind: nginx,
  setup: {
    port: 1,
    upstreamPort: 2,
    routeCount: 0,
    tls: undefined,
    http2: false,
    pipelining: 1,
    connectionsMax: 1,
    gatewardLines: "",
    accessLog: false,
    requestHeaders: {},
  },
  folder: "",
  process: {
    name: "nginx",
    pid: 0,
    logFile: undefined,
    ended: Promise.resolve(),
    exit: undefined,
    stopping: false,
  },
  startMs: 0,
  origin: "",
};
const load: LoadResult = {
  requestCount: 10,
  seconds: 1,
  p50Ms: 1,
  p99Ms: 2,
  badStatusCount: 0,
  socketErrorCount: 0,
};

test("slice: only answers that are all right count as a result", () => {
  assert.doesNotThrow(() => assertClean(proxy, load));
  assert.throws(() => assertClean(proxy, { ...load, badStatusCount: 1 }), /1 answers/);
  assert.throws(() => assertClean(proxy, { ...load, socketErrorCount: 1 }), /1 socket errors/);
  assert.throws(() => assertClean(proxy, { ...load, requestCount: 0 }), /among 0 requests/);
});

test("median: the middle value, or the mean of two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
});
