import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { CacheMemory } from "../base/cache/cache-memory.ts";
import { TestClock } from "../testing/test-clock.ts";
import { decodeRecord, encodeRecordHead } from "./cache-record-codec.ts";
import { CacheRecord, type CacheRecordFacts } from "./cache-record.ts";
import { folderTags, namedTag, underTag, urlTag } from "./cache-tags.ts";
import type { CacheMark } from "./cache-store.ts";
import { MemoryCacheStore } from "./memory-cache-store.ts";
import { TEST_SECRET } from "../testing/test-secret.ts";

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
  const { handle } = new CacheMemory(2 ** 20, 2, TEST_SECRET);
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
  const before = one.mark("a");
  other.purgeTags(tags);
  const after = other.mark("b");
  one.put("a variant of a", recordOf({ tags }), 1000, before);
  other.put("b", recordOf({ tags }), 1000, after);
  assert.equal(one.get("a variant of a"), undefined);
  assert.deepEqual(one.get("b"), recordOf({ tags }));
  one.put("a", recordOf({ tags }), 1000);
  assert.deepEqual(other.get("a"), recordOf({ tags }));
  other.purgeAll();
  one.put("a", recordOf(), 1000, after);
  assert.equal(other.get("a"), undefined);
});

const BELOW = [
  "https://a.test/b/",
  "https://a.test/b/c",
  "https://a.test/b/c/d?e=/f/",
  "https://a.test/b/1/2/3/4/5/6/7/8/9/10",
  "https://a.test/b/?c",
];
const BESIDE = [
  "https://a.test/b",
  "https://a.test/b?/c",
  "https://a.test/bb/c",
  "https://a.test/x?y=https://a.test/b/c",
  "https://a.test:444/b/c",
  "http://a.test/b/c",
  "https://c.a.test/b/c",
];

test("memory cache: a purge of what is below an address takes all of that and nothing else", () => {
  const [one, other] = open();
  const put = (url: string, mark?: CacheMark) =>
    one.put(url, recordOf({ tags: [urlTag(url), namedTag("red")] }), 1000, mark);
  for (const url of [...BELOW, ...BESIDE]) put(url);
  for (const url of [...BELOW, ...BESIDE]) assert.ok(other.get(url), url);
  const before = one.mark(BELOW[1]!);
  other.purgeTags([underTag("https://a.test/b/")]);
  for (const url of BELOW) assert.equal(one.get(url), undefined, url);
  for (const url of BESIDE) assert.ok(one.get(url), url);
  put(BELOW[1]!, before);
  assert.equal(one.get(BELOW[1]!), undefined, "began to be fetched before");
  put(BELOW[1]!);
  assert.ok(one.get(BELOW[1]!));
  other.purgeTags([underTag("https://a.test/")]);
  const isLeft = (url: string): boolean => one.get(url) !== undefined;
  assert.deepEqual([...BELOW, ...BESIDE].filter(isLeft), BESIDE.slice(-3));
});

test("memory cache: with the folders of its address 64 tags of a record count", () => {
  const [one, other] = open();
  const url = "https://a.test/1/2/3/4/5/6/7/8/9";
  const names = Array.from({ length: 63 }, (_, index) => namedTag(`${index}`));
  const { length } = folderTags(url);
  assert.equal(length, 9);
  for (const tag of [names.at(-1)!, folderTags(url).at(-1)!]) {
    one.put("a", recordOf({ tags: [urlTag(url), ...names] }), 1000);
    assert.ok(other.get("a"));
    other.purgeTags([tag]);
    assert.equal(one.get("a"), undefined, tag);
  }
});

test("memory cache: what was asked for before another worker's change is not kept", () => {
  const [one, other] = open();
  one.put("a", recordOf(), 1000);
  const [before, elsewhere] = [one.mark("a"), one.mark("b")];
  other.invalidate("a");
  assert.equal(one.get("a"), undefined);
  one.put("a", recordOf(), 1000, before);
  one.put("a variant of a", recordOf(), 1000, before);
  assert.deepEqual([other.get("a"), other.get("a variant of a")], [undefined, undefined]);
  one.put("b", recordOf(), 1000, elsewhere);
  one.put("a", recordOf(), 1000, one.mark("a"));
  assert.deepEqual([other.get("a"), other.get("b")], [recordOf(), recordOf()]);
});

test("memory cache: a change counts though a dead worker has the lock", () => {
  const memory = new CacheMemory(2 ** 20, 2, TEST_SECRET);
  const store = new MemoryCacheStore(memory.handle, 1, new TestClock());
  const ofAddress = recordOf({ tags: [urlTag("a")] });
  store.put("a", ofAddress, 1000);
  const lock = new Int32Array(memory.handle.cache.buffer, 0, 1);
  lock[0] = 2;
  store.invalidate("a");
  lock[0] = 0;
  assert.equal(store.get("a"), undefined);
});

test("memory cache: whose store is gone leads nobody", async () => {
  const [one, other] = open();
  one.lead("a");
  const wait = other.wait("a", 5000);
  one[Symbol.dispose]();
  assert.equal(await wait, "unstored");
  assert.equal(other.lead("a"), true);
});
