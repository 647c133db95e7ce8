import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { CacheMemory } from "./cache-memory.ts";
import { FlightTable } from "./flight-table.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

function open(): { memory: CacheMemory; one: FlightTable; other: FlightTable } {
  const memory = new CacheMemory(2 ** 20, 4, TEST_SECRET);
  const { flights } = memory.handle;
  return { memory, one: new FlightTable(flights, 1), other: new FlightTable(flights, 2) };
}

test("flights: one leads, the others are told how it ended", async () => {
  const { one, other } = open();
  for (const stored of [true, false, true, true]) {
    assert.equal(one.lead("a"), true);
    assert.equal(one.lead("a"), false);
    assert.equal(other.lead("a"), false);
    assert.equal(other.lead("b"), true);
    const waits = [one.wait("a", 5000), other.wait("a", 5000), other.wait("a", 5000)];
    one.settle("a", stored);
    const end = stored ? "stored" : "unstored";
    assert.deepEqual(await Promise.all(waits), [end, end, end]);
    other.settle("b", true);
  }
});

test("flights: where nobody leads any more nobody waits", async () => {
  const { one, other } = open();
  assert.equal(await other.wait("a", 5000), "stored");
  one.lead("a");
  one.settle("a", false);
  assert.equal(await other.wait("a", 5000), "stored");
});

test("flights: who does not lead settles nothing, and waiting ends with its time", async () => {
  const { one, other } = open();
  one.lead("a");
  other.settle("a", true);
  assert.equal(other.lead("a"), false);
  assert.equal(await other.wait("a", 5), "timeout");
});

test("flights: the lead of a worker that died is free, and who waits is told", async () => {
  const { memory, one, other } = open();
  one.lead("a");
  other.lead("b");
  const wait = other.wait("a", 5000);
  memory.clearWorker(0);
  assert.equal(await wait, "unstored");
  assert.equal(other.lead("a"), true);
  assert.equal(one.lead("b"), false);
});

test("flights: beyond the room there is everyone leads for himself", () => {
  const { one } = open();
  let led = 0;
  for (let key = 0; key < 20_000; key++) if (one.lead(`key ${key}`)) led++;
  assert.equal(led, 20_000);
  for (let key = 0; key < 20_000; key++) one.settle(`key ${key}`, true);
  assert.equal(one.lead("key 0"), true);
  assert.equal(one.lead("key 0"), false);
});

/** A thousand who all want the same, in one of several threads. */
const crowd = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { module, handle, holder } = workerData;
  import(module).then(async ({ FlightTable }) => {
    const flights = new FlightTable(handle, holder);
    parentPort.postMessage("ready");
    await new Promise((resolve) => parentPort.once("message", resolve));
    let led = 0;
    let fetched = 0;
    const isStored = new Int32Array(workerData.stored);
    const ask = async () => {
      while (Atomics.load(isStored, 0) === 0) {
        if (!flights.lead("url")) { await flights.wait("url", 10_000); continue; }
        if (Atomics.load(isStored, 0) === 0) {
          led++;
          await new Promise((resolve) => setTimeout(resolve, 50));
          Atomics.store(isStored, 0, 1);
        }
        flights.settle("url", true);
      }
      fetched++;
    };
    await Promise.all(Array.from({ length: 1000 }, ask));
    parentPort.postMessage([led, fetched]);
    parentPort.close();
  });
`;

test("flights: of a thousand in each of three threads one leads", async () => {
  const { memory } = open();
  const module = new URL("./flight-table.ts", import.meta.url).href;
  const stored = new SharedArrayBuffer(4);
  const workers = [1, 2, 3].map((holder) => {
    const workerData = { module, handle: memory.handle.flights, holder, stored };
    return new Worker(crowd, { eval: true, workerData });
  });
  await Promise.all(workers.map((worker) => once(worker, "message")));
  const answers = workers.map((worker) => once(worker, "message"));
  for (const worker of workers) worker.postMessage("go");
  let led = 0;
  for (const [[leads, fetched]] of (await Promise.all(answers)) as [[number, number]][]) {
    led += leads;
    assert.equal(fetched, 1000);
  }
  assert.equal(led, 1);
});
