import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { GenerationCache } from "./generation-cache.ts";

test("generation cache: what is asked for stays, what is not goes", () => {
  const cache = new GenerationCache<number>(8, 1000);
  cache.set("kept", 1, 1);
  for (let index = 0; index < 100; index++) {
    cache.set(`other ${index}`, index, 1);
    assert.equal(cache.get("kept"), 1);
  }
  assert.equal(cache.get("other 0"), undefined);
  assert.equal(cache.get("other 99"), 99);
});

test("generation cache: what is deleted or replaced is not found in either generation", () => {
  const cache = new GenerationCache<string>(4, 1000);
  cache.set("a", "first", 10);
  cache.set("b", "b", 10);
  cache.set("c", "c", 10);
  cache.set("a", "second", 20);
  assert.equal(cache.get("a"), "second");
  cache.delete("a");
  assert.equal(cache.get("a"), undefined);
  assert.equal(cache.weight, cache.size * 10);
});

test("generation cache: room for none keeps none", () => {
  const cache = new GenerationCache<string>(0, 1000);
  cache.set("a", "a", 1);
  assert.equal(cache.get("a"), undefined);
});

test("generation cache: neither bound is ever passed, and the newest entry is there", () => {
  const step = fc.record({ key: fc.integer({ min: 0, max: 20 }), weight: fc.nat(60) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const cache = new GenerationCache<number>(10, 100);
      for (const { key, weight } of steps) {
        cache.set(String(key), weight, weight);
        assert.equal(cache.get(String(key)), weight > 50 ? undefined : weight);
        cache.get(String(key + 1));
        assert.ok(cache.size <= 10 && cache.weight <= 100);
      }
    }),
  );
});
