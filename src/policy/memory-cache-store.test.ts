import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CacheMemory } from "../base/cache/cache-memory.ts";
import { TestClock } from "../testing/test-clock.ts";
import { decodeRecord, encodeRecordHead } from "./cache-record-codec.ts";
import { CacheRecord, type CacheRecordFacts } from "./cache-record.ts";
import { namedTag } from "./cache-tags.ts";
import { MemoryCacheStore } from "./memory-cache-store.ts";

function recordOf(facts: Partial<CacheRecordFacts> = {}): CacheRecord {
  return new CacheRecord({
    status: 200,
    headers: ["content-type", "text/plain"],
    body: Buffer.from("hello"),
    bornAtMs: 1,
    freshUntilMs: 2,
    vary: [],
    variant: "",
    tags: [],
    ...facts,
  });
}

function open(clock = new TestClock()) {
  const { handle } = new CacheMemory(2 ** 20, 2);
  return [1, 2].map((holder) => new MemoryCacheStore(handle, holder, clock)) as [
    MemoryCacheStore,
    MemoryCacheStore,
  ];
}

test("cache record: whatever it holds is read as it was written", () => {
  const texts = fc.array(fc.string({ unit: "binary" }));
  const facts = fc.record({
    status: fc.nat(999),
    headers: texts,
    body: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    bornAtMs: fc.maxSafeNat(),
    freshUntilMs: fc.maxSafeNat(),
    vary: texts,
    variant: fc.string(),
    tags: texts,
  });
  fc.assert(
    fc.property(facts, (given) => {
      const record = new CacheRecord(given);
      assert.deepEqual(decodeRecord(encodeRecordHead(record), record.body), record);
    }),
  );
});

test("cache record: what another version has written is none", () => {
  const head = encodeRecordHead(recordOf());
  head[0] = 2;
  assert.equal(decodeRecord(head, Buffer.alloc(0)), null);
});

test("memory cache: what one worker keeps another finds, until its time is over", () => {
  const clock = new TestClock();
  const [one, other] = open(clock);
  one.put("a", recordOf(), 1000);
  assert.deepEqual(other.get("a"), recordOf());
  clock.advance(999);
  assert.deepEqual(other.get("a"), recordOf());
  clock.advance(1);
  assert.equal(other.get("a"), undefined);
});

test("memory cache: what was asked for before a purge is purged, what was asked for after is not", () => {
  const [one, other] = open();
  const tags = [namedTag("red")];
  assert.equal(one.lead("a"), true);
  other.purgeTags(tags);
  assert.equal(other.lead("b"), true);
  one.put("a variant of a", recordOf({ tags }), 1000);
  other.put("b", recordOf({ tags }), 1000);
  one.settle("a", true);
  other.settle("b", true);
  assert.equal(one.get("a variant of a"), undefined);
  assert.deepEqual(one.get("b"), recordOf({ tags }));
  one.put("a", recordOf({ tags }), 1000);
  assert.deepEqual(other.get("a"), recordOf({ tags }));
});

test("memory cache: whose store is gone leads nobody", async () => {
  const [one, other] = open();
  one.lead("a");
  const wait = other.wait("a", 5000);
  one[Symbol.dispose]();
  assert.equal(await wait, "unstored");
  assert.equal(other.lead("a"), true);
});
