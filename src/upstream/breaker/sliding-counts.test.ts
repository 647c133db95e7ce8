import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { COUNT_CELLS, SlidingCounts } from "./sliding-counts.ts";

test("sliding counts: agree with a list of all that was counted, at any pace", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed);
    const windowTicks = 10 * (1 + random.below(20));
    const bucketTicks = windowTicks / 10;
    const counts = new SlidingCounts(new Int32Array(COUNT_CELLS + 1), 1, windowTicks);
    const all: { bucket: number; failed: boolean; slow: boolean }[] = [];
    let tick = random.below(1000);
    for (let step = 0; step < 500; step++) {
      tick += random.below(3) === 0 ? random.below(windowTicks) : 0;
      const failed = random.below(2) === 0;
      const slow = random.below(3) === 0;
      const bucket = Math.floor(tick / bucketTicks);
      counts.add(tick, failed, slow);
      all.push({ bucket, failed, slow });
      counts.read(tick);
      const recent = all.filter((each) => each.bucket > bucket - 10);
      assert.deepEqual(
        [counts.total, counts.failed, counts.slow],
        [
          recent.length,
          recent.filter((each) => each.failed).length,
          recent.filter((each) => each.slow).length,
        ],
        `seed ${seed}, step ${step}`,
      );
    }
  }
});

test("sliding counts: a thread whose clock stood still takes nothing away", () => {
  const counts = new SlidingCounts(new Int32Array(COUNT_CELLS), 0, 10);
  for (let count = 0; count < 5; count++) counts.add(1000, true, false);
  counts.add(990, true, true);
  counts.read(1000);
  assert.deepEqual([counts.total, counts.failed, counts.slow], [5, 5, 0]);
});

test("sliding counts: what is beyond the most that a bucket holds changes no share", () => {
  const counts = new SlidingCounts(new Int32Array(COUNT_CELLS), 0, 100);
  for (let count = 0; count < 2 ** 18 - 1; count++) counts.add(5, false, false);
  counts.add(5, true, true);
  counts.read(5);
  assert.deepEqual([counts.total, counts.failed, counts.slow], [2 ** 18 - 1, 0, 0]);
});
