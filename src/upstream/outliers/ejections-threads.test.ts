import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { upstreamResult } from "../../base/metrics/families.ts";
import { RECORD_INTS } from "../../base/shared-records.ts";
import { EJECTED_UNTIL, SERVICE_EJECTED } from "../target-record.ts";

const TARGETS = 20;
const ROUNDS = 300;

/** Lets time go by in small steps and all targets fail; says what it was told of, and how many were ejected at most. */
const failing = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { modules, memory, time, gate, rounds, targets, cell, rules, failed } = workerData;
  Promise.all(modules.map((module) => import(module))).then(([{ Ejections }, { OutlierWatch }]) => {
    const recordOf = (slot) => new Int32Array(memory, slot * ${RECORD_INTS * 4}, ${RECORD_INTS});
    const clock = { get tick() { return Atomics.load(time, 0); } };
    const told = { ejected: 0, returned: 0, most: 0 };
    const events = { ejected: () => (told.ejected += 1), returned: () => (told.returned += 1) };
    const ejections = new Ejections(rules, recordOf(targets), clock, events);
    const watches = Array.from({ length: targets }, (_, slot) => {
      const subject = { url: "", key: "", record: recordOf(slot) };
      return new OutlierWatch(subject, rules, ejections, targets);
    });
    parentPort.postMessage("ready");
    Atomics.wait(gate, 0, 0);
    for (let round = 0; round < rounds; round++) {
      Atomics.add(time, 0, 1);
      for (const watch of watches) {
        watch.ended(failed, 0, 1);
        told.most = Math.max(told.most, Atomics.load(recordOf(targets), cell));
      }
    }
    parentPort.postMessage(told);
  });
`;

test("ejections: four threads never eject one too many, and each is told of once", async () => {
  const memory = new SharedArrayBuffer((TARGETS + 1) * RECORD_INTS * 4);
  const workerData = {
    modules: ["./ejections.ts", "./outlier-watch.ts"].map((module) => {
      return new URL(module, import.meta.url).href;
    }),
    memory,
    time: new Int32Array(new SharedArrayBuffer(4)).fill(1),
    gate: new Int32Array(new SharedArrayBuffer(4)),
    rounds: ROUNDS,
    targets: TARGETS,
    cell: SERVICE_EJECTED,
    failed: upstreamResult.connect,
    rules: {
      consecutive5xx: 5,
      consecutiveGateway: 0,
      consecutiveLocal: 3,
      intervalMs: 10_000,
      baseMs: 500,
      maxMs: 1000,
      maxEjected: 0.2,
      successRate: null,
      failures: null,
      slow: null,
    },
  };
  const threads = Array.from({ length: 4 }, () => new Worker(failing, { eval: true, workerData }));
  await Promise.all(threads.map((thread) => once(thread, "message")));
  const answers = threads.map((thread) => once(thread, "message"));
  Atomics.store(workerData.gate, 0, 1);
  Atomics.notify(workerData.gate, 0);
  const told = (await Promise.all(answers)).map(([one]) => one as Record<string, number>);
  for (const { most } of told) assert.ok(most! <= 4, `${most} at once`);
  const sum = (name: string): number => told.reduce((all, one) => all + one[name]!, 0);
  const records = new Int32Array(memory);
  let ejected = 0;
  for (let slot = 0; slot < TARGETS; slot++) {
    if (records[slot * RECORD_INTS + EJECTED_UNTIL] !== 0) ejected += 1;
  }
  assert.ok(sum("ejected") > 4);
  assert.equal(sum("ejected") - sum("returned"), ejected);
  assert.equal(records[TARGETS * RECORD_INTS + SERVICE_EJECTED], ejected);
});
