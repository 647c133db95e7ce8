import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { NO_SLOT, SharedCounters } from "./shared-counters.ts";
import { SlotTable } from "./slot-table.ts";

test("shared counters: add returns the new total and each row knows its own share", () => {
  const table = new SlotTable({ rows: 2, slots: 16 });
  const one = new SharedCounters(table.handle, 0);
  const two = new SharedCounters(table.handle, 1);
  assert.equal(one.add(5, 2), 2);
  assert.equal(two.add(5, 3), 5);
  assert.equal(one.add(5, -1), 4);
  assert.equal(one.load(5), 4);
  assert.equal(two.peek(5), 4);
  assert.equal(one.loadOwn(5), 1);
  assert.equal(two.loadOwn(5), 3);
  assert.equal(table.sum(5), 4);
  assert.equal(one.load(4), 0);
  assert.equal(one.load(6), 0);
});

test("shared counters: a row that does not exist is refused", () => {
  const { handle } = new SlotTable({ rows: 2 });
  for (const row of [-1, 2, NO_SLOT, Number.NaN]) {
    assert.throws(() => new SharedCounters(handle, row), RangeError);
  }
});

test("shared counters: clearing a row takes back exactly what that worker held", () => {
  const table = new SlotTable({ rows: 2, slots: 16 });
  const dead = new SharedCounters(table.handle, 0);
  const alive = new SharedCounters(table.handle, 1);
  dead.add(0, 7);
  dead.add(15, 1);
  alive.add(0, 2);
  table.clearRow(0);
  assert.equal(table.load(0), 2);
  assert.equal(table.load(15), 0);
  assert.equal(table.sum(0), 2);
  assert.equal(dead.loadOwn(0), 0);
});

const counting = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { module, handle, row, gate, slot, turns, limit, stays } = workerData;
  import(module).then(({ SharedCounters }) => {
    const counters = new SharedCounters(handle, row);
    parentPort.postMessage("ready");
    Atomics.wait(gate, 0, 0);
    for (let i = 0; i < turns; i++) {
      const total = counters.add(slot, 1);
      if (total > limit || i % 2 === 0) counters.add(slot, -1);
    }
    parentPort.postMessage("done");
    if (stays) setInterval(() => {}, 1000);
  });
`;

interface Counting {
  table: SlotTable;
  slot: number;
  /** Every second add is taken back at once. */
  turns: number;
  /** Adds that bring the total above it are taken back too. */
  limit: number;
  /** Keeps the threads alive when they are done. */
  stays: boolean;
}

/** Has one thread for each row count, all at the same time, and returns when they are done. */
async function countInThreads({ table, ...data }: Counting): Promise<Worker[]> {
  const module = new URL("./shared-counters.ts", import.meta.url).href;
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const { handle } = table;
  const workers = Array.from({ length: handle.rows }, (_, row) => {
    return new Worker(counting, { eval: true, workerData: { module, handle, row, gate, ...data } });
  });
  await Promise.all(workers.map((worker) => once(worker, "message")));
  const done = workers.map((worker) => once(worker, data.stays ? "message" : "exit"));
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  await Promise.all(done);
  return workers;
}

test("shared counters: adds of real threads at once are all counted", async () => {
  const table = new SlotTable({ rows: 3, slots: 16 });
  await countInThreads({ table, slot: 3, turns: 2_000_000, limit: Infinity, stays: false });
  assert.equal(table.load(3), 3_000_000);
  assert.equal(table.sum(3), 3_000_000);
});

test("shared counters: a limit checked on what add returns holds across threads", async () => {
  const table = new SlotTable({ rows: 2, slots: 16 });
  await countInThreads({ table, slot: 0, turns: 200_000, limit: 50, stays: false });
  assert.equal(table.load(0), 50);
});

test("shared counters: what a killed worker held is taken back, the others' stays", async () => {
  const table = new SlotTable({ rows: 2, slots: 16 });
  const settings = { table, slot: 9, turns: 1001, limit: Infinity, stays: true };
  const workers = await countInThreads(settings);
  assert.equal(table.load(9), 1000);
  await workers[0]!.terminate();
  table.clearRow(0);
  assert.equal(table.load(9), 500);
  await workers[1]!.terminate();
  table.clearRow(1);
  assert.equal(table.load(9), 0);
});
