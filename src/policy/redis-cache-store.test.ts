import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { before, test } from "node:test";
import { fileCleanup } from "../../test/support/cleanup.ts";
import { openRedis } from "../../test/support/open-redis.ts";
import { startRedis, type RedisServer } from "../../test/support/redis-server.ts";
import { requires } from "../../test/support/requires.ts";
import { until } from "../../test/support/until.ts";
import type { SharedRedis } from "../stores/redis/shared-redis.ts";
import { CacheRecord, type CacheRecordFacts } from "./cache-record.ts";
import type { CacheMark } from "./cache-store.ts";
import { underTag, urlTag } from "./cache-tags.ts";
import type { RedisStore } from "./redis-store.ts";
import { REDIS_BODY_BYTES_MAX, RedisCacheStore } from "./redis-cache-store.ts";

const skip = requires("redis-server");
const cleanup = fileCleanup();
let server: RedisServer;
let redis: SharedRedis;
let keys = 0;

before(async () => {
  if (skip !== false) return;
  server = await startRedis(cleanup);
  ({ redis } = await openRedis(cleanup, server.port));
  // The first time a script is used it is sent twice, and what comes after it may come before.
  open().put("first", recordOf(), 60_000);
  open().purgeTags([underTag("https://first.test/"), "first"]);
  for (const tag of ["first", ""]) {
    await until(async () => (await redis.get("cache:tag:" + hashOf(tag))) !== null);
  }
});

function recordOf(facts: Partial<CacheRecordFacts> = {}): CacheRecord {
  return new CacheRecord({
    status: 200,
    headers: ["content-type", "text/plain", "x-ä", "ü"],
    body: Buffer.from("hello"),
    bornAtMs: 1_700_000_000_123,
    freshUntilMs: 1_700_000_060_000,
    vary: ["accept"],
    variant: "a",
    tags: [],
    ...facts,
  });
}

/** Another machine's, too. */
function open(): RedisCacheStore {
  return new RedisCacheStore(redis);
}

const hashOf = (key: string): string => hash("sha256", key, "base64url").slice(0, 22);
const newKey = (): string => `https://example.com/${keys++}`;

test(
  "redis cache: what one machine keeps another finds, bodies of any bytes",
  { skip },
  async () => {
    const key = newKey();
    const bodies = ["", "hello", "hällo", ":1:", Buffer.from([0, 1, 127, 128, 255])];
    for (const body of [...bodies, Buffer.alloc(100_000, "ö")]) {
      const record = recordOf({ body: Buffer.from(body as string) });
      open().put(key, record, 60_000);
      assert.deepEqual(await open().get(key), record);
    }
    open().delete(key);
    assert.equal(await open().get(key), undefined);
  },
);

test(
  "redis cache: what is too large is not kept, nor what it was to replace",
  { skip },
  async () => {
    const key = newKey();
    open().put(key, recordOf(), 60_000);
    open().put(key, recordOf({ body: Buffer.alloc(REDIS_BODY_BYTES_MAX + 1) }), 60_000);
    assert.equal(await open().get(key), undefined);
  },
);

test(
  "redis cache: a purge takes what has the tag, and what is fetched just then",
  { skip },
  async () => {
    const [one, other] = [open(), open()];
    const [key, kept] = [newKey(), newKey()];
    one.put(key, recordOf({ tags: ["tag red", "url a"] }), 60_000);
    one.put(kept, recordOf({ tags: ["tag blue"] }), 60_000);
    const mark = one.mark(key);
    other.purgeTags(["tag red"]);
    assert.equal(await one.get(key), undefined);
    assert.ok(await one.get(kept));
    one.put(key, recordOf({ tags: ["tag red"] }), 60_000, mark);
    assert.equal(await one.get(key), undefined, "began to be fetched before");
    await until(async () => {
      one.put(key, recordOf({ tags: ["tag red"] }), 60_000);
      return (await other.get(key)) !== undefined;
    });
    other.purgeAll();
    assert.deepEqual([await one.get(key), await one.get(kept)], [undefined, undefined]);
  },
);

test(
  "redis cache: a purge of what is below an address takes all of that, also what is fetched just then",
  { skip },
  async () => {
    const [one, other] = [open(), open()];
    const origin = `https://below-${keys++}.test`;
    const [below, deep, beside] = [`${origin}/b/c`, `${origin}/b/1/2?/3`, `${origin}/bb?/b/c`];
    const put = (url: string, mark?: CacheMark) =>
      one.put(url, recordOf({ tags: [urlTag(url)] }), 60_000, mark);
    for (const url of [below, deep, beside]) put(url);
    const mark = one.mark(below);
    other.purgeTags([underTag(`${origin}/b/`)]);
    assert.deepEqual([await one.get(below), await one.get(deep)], [undefined, undefined]);
    assert.ok(await one.get(beside));
    put(below, mark);
    assert.equal(await other.get(below), undefined, "began to be fetched before");
    await until(async () => {
      put(below);
      return (await other.get(below)) !== undefined;
    });
    other.purgeTags([underTag(`${origin}/`)]);
    assert.deepEqual([await one.get(below), await one.get(beside)], [undefined, undefined]);
  },
);

test(
  "redis cache: of purges of what is below addresses 64 are known, then the oldest become one of everything",
  { skip },
  async () => {
    const [one, other] = [open(), open()];
    const key = newKey();
    const known = async () => (await redis.get("cache:tag:" + hashOf("")))!.split("\n");
    const purge = (path: string) => other.purgeTags([underTag(`https://many.test/${path}`)]);
    other.purgeAll();
    await until(async () => (await known()).length === 1);
    purge("first/");
    for (let count = 1; count < 32; count++) purge(`wide/${count}/`);
    await until(async () => (await known()).length === 1 + 32);
    purge("wide/");
    await until(async () => (await known()).length === 1 + 2);
    const [all] = await known();
    await until(async () => {
      one.put(key, recordOf({ tags: [urlTag(key)] }), 60_000);
      return (await one.get(key)) !== undefined;
    });
    for (let count = 2; count < 64; count++) purge(`${count}/`);
    await until(async () => (await known()).length === 1 + 64);
    assert.equal((await known())[0], all);
    assert.ok(await one.get(key), "none of these is below what was purged");
    purge("wide/");
    await until(async () => (await known())[1]!.endsWith("/wide/"));
    assert.deepEqual([(await known()).length, (await known())[0]], [1 + 64, all], "known once");
    for (let count = 64; count < 128; count++) purge(`${count}/`);
    await until(async () => (await known())[1]!.endsWith("/127/"));
    const after = await known();
    assert.equal(after.length, 1 + 64);
    assert.ok(after[0]! > all!);
    assert.equal(await one.get(key), undefined);
    other.purgeAll();
    await until(async () => (await known()).length === 1);
  },
);

test(
  "redis cache: what was asked for before another machine's change is not kept",
  { skip },
  async () => {
    const [one, other] = [open(), open()];
    const [resource, untouched] = [newKey(), newKey()];
    const [early, elsewhere] = [one.mark(resource), one.mark(untouched)];
    assert.deepEqual(await Promise.all([early.change, elsewhere.change]), [null, null]);
    // A busy machine may let the time for a call run out.
    await until(async () => {
      other.invalidate(resource);
      return (await redis.get("cache:change:" + hashOf(resource))) !== null;
    });
    for (const key of [resource, newKey()]) {
      assert.equal(await one.lead(key), true);
      one.put(key, recordOf(), 60_000, early);
      one.settle(key, true);
      // Who waits is told once it has been taken back.
      await other.wait(key, 5000);
      assert.equal(await other.get(key), undefined);
      await until(async () => {
        one.put(key, recordOf(), 60_000, one.mark(resource));
        return (await other.get(key)) !== undefined;
      });
    }
    await until(async () => {
      one.put(untouched, recordOf(), 60_000, elsewhere);
      return (await other.get(untouched)) !== undefined;
    });
  },
);

test("redis cache: one leads, those of other machines wait and are told", { skip }, async () => {
  const [one, other] = [open(), open()];
  for (const [stored, end] of [
    [true, "stored"],
    [false, "unstored"],
  ] as const) {
    const key = newKey();
    assert.equal(await one.lead(key), true);
    assert.equal(await other.lead(key), false);
    other.settle(key, true);
    const waits = [other.wait(key, 5000), one.wait(key, 5000)];
    one.settle(key, stored);
    assert.deepEqual(await Promise.all(waits), [end, end]);
  }
  const key = newKey();
  await one.lead(key);
  assert.equal(await other.wait(key, 5), "timeout");
});

test("redis cache: while Redis is away nothing is found or kept, and everyone leads", async () => {
  const rejects = () => Promise.reject(new Error("away"));
  for (const isReady of [true, false]) {
    // Ready, but it rejects whatever is asked.
    const away: RedisStore = {
      isReady,
      prefix: "",
      isCluster: false,
      run: rejects,
      get: rejects,
      set: rejects,
      setIfAbsent: rejects,
      delete: rejects,
    };
    const store = new RedisCacheStore(away);
    store.put("a", recordOf(), 1000);
    store.delete("a");
    store.purgeTags(["a", underTag("https://a.test/")]);
    store.purgeAll();
    store.invalidate("a");
    store.put("a", recordOf(), 1000, store.mark("a"));
    assert.equal(await store.get("a"), undefined);
    assert.equal(await store.lead("a"), true);
    assert.equal(await store.wait("a", 1000), "unstored");
    store.settle("a", true);
  }
});
