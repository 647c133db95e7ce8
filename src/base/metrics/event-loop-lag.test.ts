import assert from "node:assert/strict";
import { test } from "node:test";
import { watchEventLoopLag } from "./event-loop-lag.ts";
import type { Gauge } from "./metric-view.ts";

test("event loop lag: a blocked thread shows until the watch is disposed", async () => {
  const shown: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const gauge = { set: (lag: number) => resolve(void shown.push(lag)) } as unknown as Gauge;
  // The watcher's own timer does not keep the process alive.
  const keepAlive = setTimeout(() => {}, 10_000);
  const watch = watchEventLoopLag(gauge, 10);
  const until = performance.now() + 60;
  while (performance.now() < until);
  await promise;
  assert.ok(shown[0]! > 0.03, `${shown[0]}`);
  watch[Symbol.dispose]();
  clearTimeout(keepAlive);
  assert.equal(shown.at(-1), 0);
});
