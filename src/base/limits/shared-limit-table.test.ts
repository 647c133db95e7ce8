import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { createVerdict, FIXED_WINDOW, TOKEN_BUCKET, type LimitRule } from "./limit-rule.ts";
import { LimitsMemory, openLimits } from "./limits-memory.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const HOUR_MS = 3_600_000;

function ruleOf(id: string, limit: number, windowMs = HOUR_MS): LimitRule {
  return { id, algorithm: FIXED_WINDOW, limit, windowMs, refill: limit };
}

/** Takes as fast as it can, and says how often it was let. */
const taking = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { modules, handle, worker, gate, rule, keys, turns, now } = workerData;
  Promise.all(modules.map((module) => import(module))).then(([{ openLimits }, { createVerdict }]) => {
    const table = openLimits(handle, worker);
    const verdict = createVerdict();
    parentPort.postMessage("ready");
    Atomics.wait(gate, 0, 0);
    const allowed = keys.map(() => 0);
    for (let turn = 0; turn < turns; turn++) {
      keys.forEach((key, index) => {
        table.take(rule, key, 1, now, verdict);
        if (verdict.allowed) allowed[index] += 1;
        if (verdict.allowed && turn % 3 === 0) {
          table.refund(rule, key, 1, now);
          allowed[index] -= 1;
        }
      });
    }
    parentPort.postMessage(allowed);
  });
`;

test("limit table: four threads that ask at once never get one too many, nor one too few", async () => {
  const workers = 4;
  const memory = new LimitsMemory({ workers, entries: 8, secret: TEST_SECRET });
  const gate = new Int32Array(new SharedArrayBuffer(4));
  // Eight keys in the only bucket: all threads want the same lock all the time.
  const keys = Array.from({ length: 8 }, (_, index) => `key ${index}`);
  const rule = ruleOf("hammered", 1000);
  const modules = ["./limits-memory.ts", "./limit-rule.ts"].map(
    (name) => new URL(name, import.meta.url).href,
  );
  const threads = Array.from({ length: workers }, (_, worker) => {
    const workerData = { modules, handle: memory.handle, worker, gate, rule, keys, turns: 1000 };
    return new Worker(taking, { eval: true, workerData: { ...workerData, now: NOW } });
  });
  await Promise.all(threads.map((thread) => once(thread, "message")));
  const answers = threads.map((thread) => once(thread, "message"));
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  const allowed = (await Promise.all(answers)).map(([counts]) => counts as number[]);
  for (const [index, key] of keys.entries()) {
    const sum = allowed.reduce((total, counts) => total + counts[index]!, 0);
    assert.equal(sum, 1000, key);
  }
  assert.equal(memory.evictions, 0);
});

test("limit table: keys and rules are counted apart", () => {
  const table = openLimits(new LimitsMemory({ workers: 1, secret: TEST_SECRET }).handle, 0);
  const verdict = createVerdict();
  const [one, other] = [ruleOf("one", 5), ruleOf("other", 5)];
  table.take(one, "a", 3, NOW, verdict);
  table.take(one, "b", 1, NOW, verdict);
  table.take(other, "a", 2, NOW, verdict);
  const left = (rule: LimitRule, key: string) => {
    table.peek(rule, key, 1, NOW, verdict);
    return verdict.remaining;
  };
  assert.deepEqual(
    [left(one, "a"), left(one, "b"), left(other, "a"), left(one, "c")],
    [2, 4, 3, 5],
  );
});

test("limit table: a rule that is compiled again goes on from its counts, also with another limit", () => {
  const table = openLimits(new LimitsMemory({ workers: 1, secret: TEST_SECRET }).handle, 0);
  const verdict = createVerdict();
  table.take(ruleOf("kept", 5), "a", 3, NOW, verdict);
  table.peek(ruleOf("kept", 10), "a", 1, NOW, verdict);
  assert.equal(verdict.remaining, 7);
  table.peek(ruleOf("kept", 5, 2 * HOUR_MS), "a", 1, NOW, verdict);
  assert.equal(verdict.remaining, 5, "another window");
  table.peek({ ...ruleOf("kept", 5), algorithm: TOKEN_BUCKET }, "a", 1, NOW, verdict);
  assert.equal(verdict.remaining, 5, "another algorithm");
});

test("limit table: keys of any length and content are told apart", () => {
  const table = openLimits(new LimitsMemory({ workers: 1, secret: TEST_SECRET }).handle, 0);
  const verdict = createVerdict();
  const rule = ruleOf("keys", 1);
  const keys = ["", " ", "\0", "a", "A", "a ", "é", "e\u0301", "\ud83d\ude00", "x".repeat(60_000)];
  for (const key of keys) {
    table.take(rule, key, 1, NOW, verdict);
    assert.equal(verdict.allowed, true, JSON.stringify(key.slice(0, 10)));
    table.take(rule, key, 1, NOW, verdict);
    assert.equal(verdict.allowed, false);
  }
});

test("limit table: a full bucket forgets what has expired first, and that is no eviction", () => {
  const memory = new LimitsMemory({ workers: 1, entries: 8, secret: TEST_SECRET });
  const table = openLimits(memory.handle, 0);
  const verdict = createVerdict();
  for (let key = 0; key < 7; key++) table.take(ruleOf("long", 10), `${key}`, 1, NOW, verdict);
  table.take(ruleOf("short", 10, 1000), "gone", 9, NOW, verdict);
  table.take(ruleOf("long", 10), "new", 1, NOW + 1000, verdict);
  for (const key of ["0", "1", "2", "3", "4", "5", "6", "new"]) {
    table.peek(ruleOf("long", 10), key, 1, NOW + 1000, verdict);
    assert.equal(verdict.remaining, 9, key);
  }
  assert.equal(memory.evictions, 0);
});

test("limit table: who makes up keys displaces those far from their limit, not those near it", () => {
  const memory = new LimitsMemory({ workers: 1, entries: 8, secret: TEST_SECRET });
  const table = openLimits(memory.handle, 0);
  const verdict = createVerdict();
  const rule = ruleOf("login", 10);
  table.take(rule, "attacker", 10, NOW, verdict);
  table.take(rule, "busy", 5, NOW, verdict);
  for (let made = 0; made < 10_000; made++) table.take(rule, `made up ${made}`, 1, NOW, verdict);
  table.peek(rule, "attacker", 1, NOW, verdict);
  assert.equal(verdict.allowed, false);
  table.peek(rule, "busy", 1, NOW, verdict);
  assert.equal(verdict.remaining, 5);
  assert.equal(memory.evictions, 10_000 - 6);
});

test("limit table: looking and being refused take no room", () => {
  const memory = new LimitsMemory({ workers: 1, entries: 8, secret: TEST_SECRET });
  const table = openLimits(memory.handle, 0);
  const verdict = createVerdict();
  const rule = ruleOf("room", 1);
  for (let key = 0; key < 100; key++) {
    table.peek(rule, `${key}`, 1, NOW, verdict);
    table.take(rule, `${key}`, 2, NOW, verdict);
    table.refund(rule, `${key}`, 1, NOW);
  }
  for (let key = 0; key < 8; key++) table.take(rule, `${key}`, 1, NOW, verdict);
  assert.equal(memory.evictions, 0);
});

/** Dies with the lock of the only bucket held. */
const dying = `
  const { workerData } = require("node:worker_threads");
  Atomics.compareExchange(new Int32Array(workerData.buffer), 0, 0, workerData.worker + 1);
  process.exit(1);
`;

/** Takes once, which has to wait until the lock is broken. */
const waiting = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { modules, handle, worker, rule, now } = workerData;
  Promise.all(modules.map((module) => import(module))).then(([{ openLimits }, { createVerdict }]) => {
    const table = openLimits(handle, worker);
    const verdict = createVerdict();
    parentPort.postMessage("ready");
    table.take(rule, "a", 1, now, verdict);
    parentPort.postMessage(verdict.allowed);
  });
`;

test("limit table: the lock of a worker that died is broken, others' are not", async () => {
  const memory = new LimitsMemory({ workers: 2, entries: 8, secret: TEST_SECRET });
  const { buffer } = memory.handle.limits;
  const locks = new Int32Array(buffer, 0, 1);
  const dead = new Worker(dying, { eval: true, workerData: { buffer, worker: 0 } });
  await once(dead, "exit");
  assert.equal(locks[0], 1);
  memory.clearWorker(1);
  assert.equal(locks[0], 1, "of another");
  const modules = ["./limits-memory.ts", "./limit-rule.ts"].map(
    (name) => new URL(name, import.meta.url).href,
  );
  const workerData = { modules, handle: memory.handle, worker: 1, rule: ruleOf("r", 1), now: NOW };
  const alive = new Worker(waiting, { eval: true, workerData });
  await once(alive, "message");
  const answer = once(alive, "message");
  memory.clearWorker(0);
  assert.deepEqual(await answer, [true]);
  assert.equal(locks[0], 0);
});
