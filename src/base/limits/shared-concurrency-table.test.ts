import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { LimitsMemory, openConcurrency } from "./limits-memory.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

/** Acquires and releases as fast as it can, and says whether more were ever in than may be. */
const acquiring = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { module, handle, worker, gate, inside, turns, max } = workerData;
  import(module).then(({ openConcurrency }) => {
    const table = openConcurrency(handle, worker);
    parentPort.postMessage("ready");
    Atomics.wait(gate, 0, 0);
    let most = 0;
    let entered = 0;
    while (entered < turns) {
      if (!table.acquire("scope", "key", max)) continue;
      entered += 1;
      most = Math.max(most, Atomics.add(inside, 0, 1) + 1);
      Atomics.sub(inside, 0, 1);
      table.release("scope", "key");
    }
    parentPort.postMessage(most);
  });
`;

test("concurrency table: four threads that ask at once are never one too many", async () => {
  const workers = 4;
  const memory = new LimitsMemory({ workers, secret: TEST_SECRET });
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const inside = new Int32Array(new SharedArrayBuffer(4));
  const module = new URL("./limits-memory.ts", import.meta.url).href;
  const threads = Array.from({ length: workers }, (_, worker) => {
    const workerData = { module, handle: memory.handle, worker, gate, inside };
    return new Worker(acquiring, {
      eval: true,
      workerData: { ...workerData, turns: 1000, max: 2 },
    });
  });
  await Promise.all(threads.map((thread) => once(thread, "message")));
  const answers = threads.map((thread) => once(thread, "message"));
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  for (const [most] of await Promise.all(answers)) assert.ok(most <= 2, `${most} at once`);
  assert.equal(openConcurrency(memory.handle, 0).count("scope", "key"), 0);
});

test("concurrency table: scopes and keys are counted apart", () => {
  const table = openConcurrency(new LimitsMemory({ workers: 1, secret: TEST_SECRET }).handle, 0);
  assert.ok(table.acquire("one", "a", 1));
  assert.ok(!table.acquire("one", "a", 1));
  assert.ok(table.acquire("one", "b", 1));
  assert.ok(table.acquire("other", "a", 1));
  table.release("one", "a");
  assert.deepEqual([table.count("one", "a"), table.count("one", "b")], [0, 1]);
  assert.ok(table.acquire("one", "a", 1));
});

test("concurrency table: what a dead worker held is taken back, what others hold stays", () => {
  const memory = new LimitsMemory({ workers: 2, secret: TEST_SECRET });
  const dead = openConcurrency(memory.handle, 0);
  const alive = openConcurrency(memory.handle, 1);
  for (let count = 0; count < 3; count++) assert.ok(dead.acquire("s", "shared", 9));
  assert.ok(dead.acquire("s", "own", 1));
  assert.ok(alive.acquire("s", "shared", 9));
  memory.clearWorker(0);
  assert.deepEqual([alive.count("s", "shared"), alive.count("s", "own")], [1, 0]);
  assert.ok(alive.acquire("s", "own", 1));
  alive.release("s", "shared");
  alive.release("s", "own");
  assert.deepEqual([alive.count("s", "shared"), alive.count("s", "own")], [0, 0]);
});

test("concurrency table: room that a dead worker's keys took is used again", () => {
  const memory = new LimitsMemory({ workers: 2, concurrencyEntries: 8, secret: TEST_SECRET });
  const dead = openConcurrency(memory.handle, 0);
  for (let key = 0; key < 8; key++) assert.ok(dead.acquire("s", `dead ${key}`, 1));
  memory.clearWorker(0);
  const one = openConcurrency(memory.handle, 1);
  const two = openConcurrency(memory.handle, 0);
  for (let key = 0; key < 8; key++) assert.ok(one.acquire("s", `new ${key}`, 1));
  for (let key = 0; key < 8; key++) assert.equal(two.count("s", `new ${key}`), 1, "shared");
});

test("concurrency table: a release without its acquisition changes nothing for others", () => {
  const memory = new LimitsMemory({ workers: 2, secret: TEST_SECRET });
  const one = openConcurrency(memory.handle, 0);
  const two = openConcurrency(memory.handle, 1);
  assert.ok(one.acquire("s", "k", 2));
  two.release("s", "k");
  two.release("s", "unknown");
  assert.equal(one.count("s", "k"), 1);
});

test("concurrency table: keys without room are counted by each worker, and released as such", () => {
  const memory = new LimitsMemory({ workers: 2, concurrencyEntries: 8, secret: TEST_SECRET });
  const one = openConcurrency(memory.handle, 0);
  const two = openConcurrency(memory.handle, 1);
  for (let key = 0; key < 8; key++) assert.ok(one.acquire("s", `${key}`, 1));
  assert.ok(one.acquire("s", "late", 2));
  assert.ok(one.acquire("s", "late", 2));
  assert.ok(!one.acquire("s", "late", 2));
  assert.deepEqual([one.count("s", "late"), two.count("s", "late")], [2, 0]);
  one.release("s", "late");
  one.release("s", "late");
  assert.equal(one.count("s", "late"), 0);
  one.release("s", "0");
  assert.ok(one.acquire("s", "late", 1));
  assert.equal(two.count("s", "late"), 1, "shared again");
});
