import assert from "node:assert/strict";
import { test } from "node:test";
import { collectGarbage, HeapTrimmer } from "./heap-trimmer.ts";

test("heap trimmer: trims once after the last of several calls", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let collections = 0;
  const collect = async (): Promise<void> => void (collections += 1);
  const trimmer = new HeapTrimmer({ delayMs: 100, heapBytesMin: 0, collect });
  trimmer.schedule();
  context.mock.timers.tick(99);
  trimmer.schedule();
  context.mock.timers.tick(99);
  assert.equal(collections, 0);
  context.mock.timers.tick(1);
  assert.equal(collections, 1);
});

test("heap trimmer: a small heap is left alone, and so is any after the end", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let collections = 0;
  let heapBytes = 100;
  const trimmer = new HeapTrimmer({
    delayMs: 100,
    heapBytesMin: 100,
    heapBytes: () => heapBytes,
    collect: async () => void (collections += 1),
  });
  trimmer.schedule();
  context.mock.timers.tick(100);
  heapBytes = 101;
  trimmer.schedule();
  trimmer.close();
  context.mock.timers.tick(100);
  assert.equal(collections, 0);
  trimmer.schedule();
  context.mock.timers.tick(100);
  assert.equal(collections, 1);
});

test("heap trimmer: what nothing refers to any more is given back", async () => {
  const fullBytes = fillHeap();
  await collectGarbage();
  assert.ok(process.memoryUsage().heapTotal < fullBytes - 30_000_000);
});

/** In a function of its own, so that nothing is left on the stack. */
function fillHeap(): number {
  const junk = Array.from({ length: 1_000_000 }, (_, index) => ({ index }));
  assert.equal(junk.length, 1_000_000);
  return process.memoryUsage().heapTotal;
}
