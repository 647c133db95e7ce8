import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "./random.ts";

test("random: one seed gives one sequence, another seed another", () => {
  const draw = (seed?: number) => {
    const random = new Random(seed);
    return Array.from({ length: 8 }, () => random.next());
  };
  assert.deepEqual(draw(42), draw(42));
  assert.notDeepEqual(draw(42), draw(43));
  assert.notDeepEqual(draw(), draw());
});

test("random: below stays in range and is even", () => {
  const random = new Random(1);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 100_000; i++) counts[random.below(10)]! += 1;
  assert.equal(counts.length, 10);
  let chiSquare = 0;
  for (const count of counts) chiSquare += (count - 10_000) ** 2 / 10_000;
  // 9 degrees of freedom, one in a thousand.
  assert.ok(chiSquare < 27.9, `chi square ${chiSquare}`);
});

test("random: fraction is in [0, 1) with mean one half", () => {
  const random = new Random(2);
  let sum = 0;
  for (let i = 0; i < 100_000; i++) {
    const fraction = random.fraction();
    assert.ok(fraction >= 0 && fraction < 1);
    sum += fraction;
  }
  assert.ok(Math.abs(sum / 100_000 - 0.5) < 0.005);
});

test("random: neighbouring seeds do not give related sequences", () => {
  let equalBits = 0;
  for (let seed = 0; seed < 1000; seed++) {
    const differing = new Random(seed).next() ^ new Random(seed + 1).next();
    for (let bit = 0; bit < 32; bit++) if (((differing >>> bit) & 1) === 0) equalBits++;
  }
  assert.ok(Math.abs(equalBits / 32_000 - 0.5) < 0.02);
});
