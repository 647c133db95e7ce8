import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { areDisjoint, compileMatchValue, describeValue, valueRank } from "./match-value.ts";
import type { MatchValue } from "./match-value.ts";

function accepts(value: MatchValue, ...samples: (string | undefined)[]): boolean[] {
  const condition = compileMatchValue(value);
  return samples.map((sample) => condition.test(sample));
}

test("value conditions: each kind accepts what it says", () => {
  assert.deepEqual(accepts("a", "a", "A", "ab", undefined), [true, false, false, false]);
  assert.deepEqual(accepts(["a", "b"], "a", "b", "c", undefined), [true, true, false, false]);
  assert.deepEqual(accepts({ present: true }, "", "a", undefined), [true, true, false]);
  assert.deepEqual(accepts({ present: false }, "", "a", undefined), [false, false, true]);
  assert.deepEqual(accepts({ prefix: "ab" }, "ab", "abc", "a", undefined), [
    true,
    true,
    false,
    false,
  ]);
  assert.deepEqual(accepts({ regex: "a+" }, "aa", "aab", "baa", undefined), [
    true,
    false,
    false,
    false,
  ]);
  assert.deepEqual(accepts({ not: "a" }, "a", "b", undefined), [false, true, true]);
  assert.deepEqual(accepts({ not: ["a", { prefix: "b" }] }, "a", "bc", "c"), [false, false, true]);
  assert.deepEqual(accepts([{ present: false }, "a"], undefined, "a", "b"), [true, true, false]);
});

test("value conditions: an expression cannot be made slow by the value", () => {
  assert.deepEqual(accepts({ regex: "(a|a)*b" }, "a".repeat(100_000)), [false]);
});

test("value conditions: exact is more specific than a choice, an expression, a negation, presence", () => {
  const ranked: MatchValue[] = ["a", ["a", "b"], { prefix: "a" }, { not: "a" }, { present: true }];
  const ranks = ranked.map((value) => valueRank(compileMatchValue(value)));
  assert.deepEqual(ranks, [5, 4, 3, 2, 1]);
  assert.equal(valueRank(compileMatchValue(["a", { present: true }])), 1);
  assert.equal(valueRank(compileMatchValue(["a"])), 5);
});

test("value conditions: are described in short", () => {
  const describe = (value: MatchValue) => describeValue(compileMatchValue(value));
  assert.equal(describe("a"), "=a");
  assert.equal(describe({ prefix: "a" }), "=a*");
  assert.equal(describe({ regex: "a+" }), "~a+");
  assert.equal(describe({ present: true }), " present");
  assert.equal(describe({ not: ["a", { present: false }] }), " not(any(=a, absent))");
});

const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 3 });
const leaf: fc.Arbitrary<MatchValue> = fc.oneof(
  text,
  fc.record({ present: fc.boolean() }),
  fc.record({ prefix: text }),
  fc.record({ regex: fc.constantFrom("a*", "b+", "a|b", "[ab]{2}", "") }),
);
const value: fc.Arbitrary<MatchValue> = fc.oneof(
  leaf,
  fc.record({ not: leaf }),
  fc.record({ not: fc.record({ not: leaf }) }),
  fc.array(leaf, { minLength: 1, maxLength: 3 }),
  fc.record({ not: fc.array(leaf, { minLength: 1, maxLength: 2 }) }),
);

test("value conditions: two that are called disjoint have no value in common", () => {
  let disjointCount = 0;
  fc.assert(
    fc.property(value, value, fc.option(text, { nil: undefined }), (left, right, sample) => {
      const [first, second] = [compileMatchValue(left), compileMatchValue(right)];
      const disjoint = areDisjoint(first, second);
      assert.equal(areDisjoint(second, first), disjoint);
      if (!disjoint) return;
      disjointCount++;
      assert.equal(first.test(sample) && second.test(sample), false);
    }),
    { numRuns: 5000 },
  );
  assert.ok(disjointCount > 300, `${disjointCount}`);
});
