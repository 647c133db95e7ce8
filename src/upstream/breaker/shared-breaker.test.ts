/** One breaker, several real threads. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { BREAKER_CELLS, CLOSED, HALF_OPEN, OPEN } from "./breaker-cells.ts";
import { modeOf, readBreaker } from "./breaker-view.ts";

const THREADS = 4;
const TRIALS = 3;
/** Cells of what the threads note together, beside the tick. */
const [TICK, GATE, OUT, MOST, ROUNDS] = [0, 1, 2, 3, 4];

/**
 * Each thread tries as fast as it can. Of every two openings one comes to an end by good trials, the other by bad
 * ones; whoever opens it moves the clock on.
 */
const trying = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { folder, cells, notes, seed, rounds } = workerData;
  Promise.all([
    import(folder + "circuit-breaker.ts"),
    import(folder + "breaker-settings.ts"),
    import(folder + "../../base/random.ts"),
  ]).then(([{ CircuitBreaker }, { FailureKinds }, { Random }]) => {
    const random = new Random(seed);
    const changes = [0, 0, 0];
    const failures = new FailureKinds([500], []);
    const settings = { errorShare: 0.5, slowMs: Infinity, slowShare: Infinity, windowTicks: 100,
      requestsMin: 20, openTicks: 10, openTicksMax: 20, trials: ${TRIALS}, trialTicks: 1e6, failures };
    const clock = { get tick() { return Atomics.load(notes, ${TICK}); } };
    const listener = {
      refused() {},
      changed({ mode, openMs }) {
        changes[mode] += 1;
        if (mode !== 2) return;
        Atomics.add(notes, ${ROUNDS}, 1);
        Atomics.add(notes, ${TICK}, Math.ceil(openMs / 100) + 1);
      },
    };
    const breaker = new CircuitBreaker({ cells, settings, clock, random, listener });
    parentPort.postMessage("ready");
    Atomics.wait(notes, ${GATE}, 0);
    const attempt = { breakerTicket: 0 };
    while (Atomics.load(notes, ${ROUNDS}) < rounds) {
      if (breaker.admit(1, attempt) !== null) continue;
      const isTrial = (Atomics.load(cells, 0) & 3) === 1 && attempt.breakerTicket === Atomics.load(cells, 0) >>> 19;
      if (isTrial) {
        const out = Atomics.add(notes, ${OUT}, 1) + 1;
        if (out > Atomics.load(notes, ${MOST})) Atomics.store(notes, ${MOST}, out);
        Atomics.sub(notes, ${OUT}, 1);
      }
      const isCancelled = random.below(5) === 0;
      const status = isTrial && Atomics.load(notes, ${ROUNDS}) % 2 === 0 ? 200 : 500;
      breaker.ended(isCancelled ? 5 : status === 200 ? 0 : 1, status, 1, attempt);
    }
    parentPort.postMessage(changes);
  });
`;

test("breaker of several threads: each change happens once, and trials are never too many", async () => {
  const cells = new Int32Array(new SharedArrayBuffer(BREAKER_CELLS * 4));
  const notes = new Int32Array(new SharedArrayBuffer(8 * 4));
  const rounds = 100;
  const threads = Array.from({ length: THREADS }, (_, seed) => {
    const folder = new URL("./", import.meta.url).href;
    return new Worker(trying, { eval: true, workerData: { folder, cells, notes, seed, rounds } });
  });
  await Promise.all(threads.map((thread) => once(thread, "message")));
  const answers = threads.map((thread) => once(thread, "message"));
  Atomics.store(notes, GATE, 1);
  Atomics.notify(notes, GATE);
  const changes = [0, 0, 0];
  for (const [counts] of (await Promise.all(answers)) as [number[]][]) {
    for (const [mode, count] of counts.entries()) changes[mode]! += count;
  }
  assert.ok(notes[MOST]! <= TRIALS, `${notes[MOST]} trials at once`);
  assert.ok(notes[MOST]! > 0);
  const mode = modeOf(cells);
  // From closed to open, from open to half open, and from there to either: the books balance.
  assert.ok(changes[OPEN]! >= rounds);
  assert.equal(changes[HALF_OPEN], changes[OPEN]! - (mode === OPEN ? 1 : 0));
  assert.ok(changes[CLOSED]! > 0 && changes[CLOSED]! < changes[HALF_OPEN]);
});

test("breaker of several threads: no try is lost in counting", async () => {
  const cells = new Int32Array(new SharedArrayBuffer(BREAKER_CELLS * 4));
  const counting = `
    const { workerData } = require("node:worker_threads");
    import(workerData.folder + "sliding-counts.ts").then(({ SlidingCounts }) => {
      const counts = new SlidingCounts(workerData.cells, 6, 100);
      for (let turn = 0; turn < 20000; turn++) counts.add(7, turn % 2 === 0, turn % 4 === 0);
    });
  `;
  const folder = new URL("./", import.meta.url).href;
  const threads = Array.from(
    { length: THREADS },
    () => new Worker(counting, { eval: true, workerData: { folder, cells } }),
  );
  await Promise.all(threads.map((thread) => once(thread, "exit")));
  const { tries, failed, slow } = readBreaker(cells, 100, { tick: 7 });
  assert.deepEqual([tries, failed, slow], [80_000, 40_000, 20_000]);
});
