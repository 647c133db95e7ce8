import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { auditCache } from "../../../test/support/audit-cache.ts";
import { Random } from "../random.ts";
import { CacheMemory } from "./cache-memory.ts";
import { SharedCache } from "./shared-cache.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

const NOW = 1_700_000_000_000;
const MIB = 2 ** 20;

interface Text {
  head: string;
  body: string;
}

function open(memory: CacheMemory, holder = 1, hotBytesMax = MIB): SharedCache<Text> {
  const decode = (head: Buffer, body: Buffer) => ({ head: head.toString(), body: body.toString() });
  return new SharedCache(memory.handle.cache, holder, decode, hotBytesMax);
}

function bodyOf(key: string, size: number): string {
  return `${size} ${key} `.slice(0, 20).repeat(size).slice(0, size);
}

interface Facts {
  head?: string;
  body?: string | Buffer;
  tags?: string[];
  ttlMs?: number;
  sequence?: number;
  nowMs?: number;
}

function put(cache: SharedCache<Text>, key: string, facts: Facts = {}): boolean {
  const { head = "", body = "", tags = [], ttlMs = 60_000, nowMs = NOW } = facts;
  const sequence = facts.sequence ?? cache.purges;
  const untilMs = nowMs + ttlMs;
  const bytes = Buffer.from(body as string);
  return cache.put(key, { head: Buffer.from(head), body: bytes, tags, untilMs, sequence }, nowMs);
}

test("shared cache: what one thread stores all find, of any size, under keys of any text", () => {
  const memory = new CacheMemory(4 * MIB, 2, TEST_SECRET);
  const [one, other] = [open(memory), open(memory, 2)];
  const keys = ["", "a", "GET https://example.com/a?b=c", "\u4241", "AB", "x".repeat(9000)];
  const sizes = [0, 1, 500, 511, 512, 513, 5000, 100_000];
  for (const key of keys) {
    for (const size of sizes) {
      const body = bodyOf(key, size);
      assert.equal(put(one, `${key} ${size}`, { head: key, body }), true);
    }
  }
  for (let round = 0; round < 3; round++) {
    for (const key of keys) {
      for (const size of sizes) {
        const body = bodyOf(key, size);
        for (const cache of [one, other]) {
          assert.deepEqual(cache.find(`${key} ${size}`, NOW), { head: key, body });
        }
      }
    }
  }
  assert.equal(one.find("b", NOW), undefined);
  assert.equal(memory.entries, keys.length * sizes.length);
  auditCache(memory.handle.cache);
});

test("shared cache: a hit that is repeated gives the very same value", () => {
  const memory = new CacheMemory(MIB, 1, TEST_SECRET);
  const cache = open(memory);
  put(cache, "a", { body: "one" });
  cache.find("a", NOW);
  const value = cache.find("a", NOW);
  assert.equal(cache.find("a", NOW), value);
});

test("shared cache: a value is replaced and deleted for all threads at once, and ends with its time", () => {
  const memory = new CacheMemory(MIB, 2, TEST_SECRET);
  const [one, other] = [open(memory), open(memory, 2)];
  put(one, "a", { body: "first" });
  for (let round = 0; round < 3; round++) assert.equal(other.find("a", NOW)?.body, "first");
  put(one, "a", { body: "second".repeat(1000), ttlMs: 1000 });
  for (let round = 0; round < 3; round++) {
    assert.equal(other.find("a", NOW + 999)?.body, "second".repeat(1000));
  }
  assert.equal(other.find("a", NOW + 1000), undefined);
  put(one, "a", { body: "third" });
  for (let round = 0; round < 3; round++) assert.equal(other.find("a", NOW)?.body, "third");
  assert.equal(memory.entries, 1);
  assert.equal(one.delete("a"), true);
  assert.equal(other.find("a", NOW), undefined);
  assert.deepEqual([memory.entries, memory.bytes], [0, 0]);
  auditCache(memory.handle.cache);
});

test("shared cache: what is too large is not stored, and drives nothing out but what it was to replace", () => {
  const memory = new CacheMemory(MIB, 1, TEST_SECRET);
  const cache = open(memory);
  put(cache, "a", { body: "a" });
  put(cache, "b", { body: "b" });
  assert.equal(put(cache, "a", { body: Buffer.alloc(cache.valueBytesMax) }), false);
  assert.equal(cache.find("a", NOW), undefined);
  assert.equal(cache.find("b", NOW)?.body, "b");
});

test("shared cache: a purge takes what has the tag, in all threads, also what is fetched just then", () => {
  const memory = new CacheMemory(MIB, 2, TEST_SECRET);
  const [one, other] = [open(memory), open(memory, 2)];
  put(one, "a", { body: "a", tags: ["red", "round"] });
  put(one, "b", { body: "b", tags: ["blue"] });
  for (let round = 0; round < 3; round++) assert.ok(other.find("a", NOW) && other.find("b", NOW));
  const sequence = one.purges;
  memory.purgeTag("round");
  assert.equal(other.find("a", NOW), undefined);
  assert.equal(one.find("a", NOW), undefined);
  assert.equal(other.find("b", NOW)?.body, "b");
  put(one, "a", { body: "fetched before", tags: ["round"], sequence });
  assert.equal(one.find("a", NOW), undefined);
  put(one, "a", { body: "fetched after", tags: ["round"] });
  assert.equal(other.find("a", NOW)?.body, "fetched after");
  other.purgeAll();
  for (const key of ["a", "b"]) assert.equal(one.find(key, NOW), undefined);
  put(one, "b", { body: "new" });
  assert.equal(one.find("b", NOW)?.body, "new");
});

test("shared cache: memory stays within its bound, and nothing is lost, after 100,000 random operations", () => {
  const seed = 7;
  const random = new Random(seed);
  const memory = new CacheMemory(2 * MIB, 1, TEST_SECRET);
  const cache = open(memory, 1, 100_000);
  const sizes = [0, 100, 600, 3000, 20_000, 150_000];
  const filler = Buffer.alloc(200_000, "x");
  let found = 0;
  for (let operation = 0; operation < 100_000; operation++) {
    const key = `key ${random.below(4000)}`;
    const which = random.below(10);
    const nowMs = NOW + operation;
    if (which < 4) {
      const size = random.below(sizes[random.below(sizes.length)]! + 1);
      put(cache, key, { head: `${key} ${size}`, body: filler.subarray(0, size), nowMs });
    } else if (which < 9) {
      const value = cache.find(key, nowMs);
      if (value === undefined) continue;
      found++;
      assert.equal(value.head, `${key} ${value.body.length}`, `seed ${seed}`);
    } else cache.delete(key);
    if (operation % 5000 === 0) auditCache(memory.handle.cache);
    assert.ok(memory.bytes <= memory.bytesMax);
  }
  assert.ok(found > 1000, `${found} found`);
  assert.ok(memory.evictions > 1000);
  auditCache(memory.handle.cache);
  for (let key = 0; key < 4000; key++) cache.delete(`key ${key}`);
  auditCache(memory.handle.cache);
  assert.deepEqual([memory.entries, memory.bytes], [0, 0]);
});

test("shared cache: a hot set survives a flood of others, small and large", () => {
  const memory = new CacheMemory(4 * MIB, 1, TEST_SECRET);
  const cache = open(memory, 1, 100_000);
  const hot = Array.from({ length: 200 }, (_, index) => `hot ${index}`);
  const body = Buffer.alloc(4000, "h");
  let missed = 0;
  let flooded = 0;
  const ask = (key: string): void => {
    if (cache.find(key, NOW) !== undefined) return;
    missed++;
    put(cache, key, { body });
  };
  for (let round = 0; round < 5; round++) for (const key of hot) ask(key);
  assert.equal(missed, 200);
  for (let round = 0; round < 200; round++) {
    for (let other = 0; other < 100; other++) {
      const size = flooded % 10 === 0 ? 100_000 : 2000;
      put(cache, `flood ${flooded++}`, { body: Buffer.alloc(size) });
    }
    for (const key of hot) ask(key);
  }
  assert.equal(missed, 200, "asked for again");
  assert.ok(memory.evictions > 10_000);
});

test("shared cache: who comes back after it had to go is kept the next time", () => {
  const memory = new CacheMemory(MIB, 1, TEST_SECRET);
  const cache = open(memory, 1, 0);
  const body = Buffer.alloc(4000);
  const putAll = (name: string, count: number) => {
    for (let number = 0; number < count; number++) put(cache, `${name}${number}`, { body });
  };
  const found = (count: number) =>
    Array.from({ length: count }, (_, number) => cache.find(`a${number}`, NOW)).filter(Boolean);
  putAll("a", 20);
  putAll("x", 300);
  assert.deepEqual(found(20), []);
  putAll("a", 20);
  putAll("y", 1000);
  // Of fingerprints that meet in one place the older is forgotten; where they fall is left to chance.
  assert.ok(found(20).length >= 14, `${found(20).length} of 20`);
});

const shared = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { module, handle, holder, writes } = workerData;
  const KEYS = 40;
  import(module).then(({ SharedCache }) => {
    const cache = new SharedCache(handle, holder, (head, body) => ({ head, body }), holder === 3 ? 50_000 : 0);
    let seed = holder * 7919;
    const random = (below) => ((seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) >>> 8) % below;
    let found = 0;
    // Who begins before there is anything to find goes on until there has been.
    const until = Date.now() + 20_000;
    for (let round = 0; round < 20_000 || (found <= 1000 && Date.now() < until); round++) {
      const key = "key " + random(KEYS);
      if (writes && round % 2 === 0) {
        const letter = 97 + random(26);
        const size = random(6000);
        const head = Buffer.from(key + " " + letter + " " + size);
        const body = Buffer.alloc(size, letter);
        cache.put(key, { head, body, tags: [], untilMs: 2e12, sequence: cache.purges }, 1e12);
        continue;
      }
      const value = cache.find(key, 1e12);
      if (value === undefined) continue;
      found++;
      const [, number, letter, size] = value.head.toString().split(" ");
      const isWhole = "key " + number === key && value.body.length === Number(size) &&
        value.body.equals(Buffer.alloc(Number(size), Number(letter)));
      if (!isWhole) throw new Error("torn: " + key + " " + value.head);
    }
    parentPort.postMessage(found);
  });
`;

test("shared cache: four threads that write and read the same keys never see a torn value", async () => {
  const memory = new CacheMemory(MIB, 4, TEST_SECRET);
  const handle = memory.handle.cache;
  const module = new URL("./shared-cache.ts", import.meta.url).href;
  // Full, so that what they store drives out what they read.
  const filling = open(memory, 9);
  for (let key = 0; key < 2000; key++) put(filling, `fill ${key}`, { body: "x".repeat(500) });
  const found = await Promise.all(
    [1, 2, 3, 4].map(async (holder) => {
      const workerData = { module, handle, holder, writes: holder < 3 };
      const worker = new Worker(shared, { eval: true, workerData });
      const [count] = (await once(worker, "message")) as [number];
      return count;
    }),
  );
  for (const count of found) assert.ok(count > 1000, `${count} found`);
  auditCache(handle);
});

/** Dies with the lock held. */
const dying = `
  const { workerData } = require("node:worker_threads");
  Atomics.compareExchange(new Int32Array(workerData), 0, 0, 1);
  process.exit(1);
`;

test("shared cache: a thread that dies with the lock holds nobody up, and the cache begins anew", async () => {
  const memory = new CacheMemory(MIB, 2, TEST_SECRET);
  const cache = open(memory, 2);
  put(cache, "a", { body: "a" });
  for (let round = 0; round < 3; round++) assert.equal(cache.find("a", NOW)?.body, "a");
  const dead = new Worker(dying, { eval: true, workerData: memory.handle.cache.buffer });
  await once(dead, "exit");
  assert.equal(put(cache, "b", { body: "b" }), false);
  assert.equal(cache.find("a", NOW)?.body, "a");
  memory.clearWorker(1);
  assert.equal(put(cache, "b", { body: "b" }), false, "it was another's");
  memory.clearWorker(0);
  assert.equal(cache.find("a", NOW), undefined);
  assert.equal(put(cache, "b", { body: "b" }), true);
  for (let key = 0; key < 3000; key++) put(cache, `x${key}`, { body: "x".repeat(1000) });
  put(cache, "a", { body: "again" });
  assert.equal(cache.find("a", NOW)?.body, "again");
  auditCache(memory.handle.cache);
});

test("shared cache: a thread that dies without the lock changes nothing", () => {
  const memory = new CacheMemory(MIB, 2, TEST_SECRET);
  const cache = open(memory, 2);
  put(cache, "a", { body: "a" });
  memory.clearWorker(0);
  assert.equal(cache.find("a", NOW)?.body, "a");
});
