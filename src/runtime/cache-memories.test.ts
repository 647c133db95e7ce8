import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheBytes, gatewardFamilies } from "../base/metrics/families.ts";
import { MetricRegistry } from "../base/metrics/metric-registry.ts";
import type { Config } from "../config/config.ts";
import { validate } from "../config/validate.ts";
import { CacheRecord } from "../policy/cache-record.ts";
import { MemoryCacheStore } from "../policy/memory-cache-store.ts";
import { CacheMemories } from "./cache-memories.ts";

const clock = { now: () => 1_700_000_000_000 };

const record = new CacheRecord({
  status: 200,
  headers: [],
  body: Buffer.from("hello"),
  bornAtMs: 0,
  freshUntilMs: 0,
  vary: [],
  variant: "",
  tags: ["tag a"],
});

function configOf(cache: object | undefined): Config {
  return validate({ cache }, {}).config!;
}

function open() {
  const registry = new MetricRegistry({ families: gatewardFamilies, workers: 1 });
  const memories = new CacheMemories(1, registry);
  const bytes = (): number => {
    for (const { family, samples } of registry.collect()) {
      if (family.name === cacheBytes.name) return samples[0]!.values[0]!;
    }
    return NaN;
  };
  return { memories, bytes };
}

test("cache memories: none without need; the same for as long as its size stays", () => {
  const { memories } = open();
  assert.equal(memories.lease(configOf(undefined)).cache, undefined);
  const first = memories.lease(configOf({ memory: "1mb" }));
  const second = memories.lease(configOf({ memory: "1mb" }));
  assert.equal(second.cache!.id, first.cache!.id);
  first.release();
  first.release();
  assert.equal(memories.lease(configOf({ memory: "1mb" })).cache!.id, first.cache!.id);
  const larger = memories.lease(configOf({ memory: "2mb" }));
  assert.notEqual(larger.cache!.id, first.cache!.id);
  assert.equal(larger.cache!.handle.cache.buffer.byteLength, 2 ** 21);
});

test("cache memories: a purge reaches what workers have stored; what nobody leases any more is gone", () => {
  const { memories, bytes } = open();
  const lease = memories.lease(configOf({}));
  const store = new MemoryCacheStore(lease.cache!.handle, 1, clock);
  for (const purge of ["all", ["tag a"]] as const) {
    store.put("a", record, 1000);
    for (let round = 0; round < 3; round++) assert.deepEqual(store.get("a"), record);
    memories.purge(["tag b"]);
    assert.deepEqual(store.get("a"), record);
    memories.purge(purge);
    assert.equal(store.get("a"), undefined);
  }
  assert.equal(bytes(), 512);
  lease.release();
  assert.equal(bytes(), 0);
});
