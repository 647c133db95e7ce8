import assert from "node:assert/strict";
import { test } from "node:test";
import { CacheMemory } from "./cache-memory.ts";
import { CACHE_TAGS_MAX, SharedCache } from "./shared-cache.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

const NOW = 1_700_000_000_000;

test("count entries: what can be found is counted, by tag or all; what was purged or has ended is not", () => {
  const memory = new CacheMemory(2 ** 20, 1, TEST_SECRET);
  const cache = new SharedCache(memory.handle.cache, 1, () => null, 0);
  const put = (key: string, tags: string[], size = 10, ttlMs = 1000): boolean => {
    const body = Buffer.alloc(size);
    const untilMs = NOW + ttlMs;
    return cache.put(key, { head: body, body, tags, untilMs, sequence: cache.purges }, NOW);
  };
  const all = Array.from({ length: CACHE_TAGS_MAX }, (_, index) => `tag ${index}`);
  const last = all.at(-1)!;
  for (let count = 0; count < 100; count++) put(`short ${count}`, ["tag a"], 10, 500);
  for (let count = 0; count < 50; count++) put(`long ${count}`, ["tag a", ...all.slice(1)]);
  put("other", []);
  assert.equal(memory.count("all", NOW), 151);
  assert.equal(memory.count(["tag a"], NOW), 150);
  assert.equal(memory.count([last], NOW), 50);
  assert.equal(memory.count(["tag a", last, "tag none"], NOW), 150);
  assert.equal(memory.count(["tag a"], NOW + 500), 50);
  memory.purgeTag(last);
  assert.equal(memory.count("all", NOW), 101);
  cache.delete("other");
  assert.equal(memory.count("all", NOW), 100);
  memory.purgeAll();
  assert.equal(memory.count("all", NOW), 0);
  put("other", ["tag a"]);
  assert.equal(memory.count(["tag a"], NOW), 1);
});

test("count entries: what memory does not take is counted as refused", () => {
  const memory = new CacheMemory(2 ** 20, 1, TEST_SECRET);
  const cache = new SharedCache(memory.handle.cache, 1, () => null, 0);
  const body = Buffer.alloc(2 ** 20);
  const untilMs = NOW + 1000;
  const stored = { head: body, body, tags: [], untilMs, sequence: 0 };
  assert.equal(cache.put("a", stored, NOW), false);
  assert.equal(memory.refusals, 1);
  assert.ok(memory.bytesMax > 0.8 * 2 ** 20 && memory.bytesMax < 2 ** 20);
});
