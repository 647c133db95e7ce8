import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { duration, formatDuration, parseDuration, TIMER_MS_MAX } from "./duration.ts";
import { Refusal } from "./refusal.ts";

const written: readonly (readonly [string, number])[] = [
  ["500ms", 500],
  ["0ms", 0],
  ["1s", 1000],
  ["1.5s", 1500],
  ["1.1s", 1100],
  ["0.001s", 1],
  ["1m", 60_000],
  ["1m30s", 90_000],
  ["2h", 7_200_000],
  ["1d", 86_400_000],
  ["1h30m15s500ms", 5_415_500],
];

for (const [text, ms] of written) {
  test(`durations: ${text} is ${ms} ms`, () => {
    assert.equal(parseDuration(text), ms);
  });
}

const refused: readonly (readonly [string, RegExp, RegExp])[] = [
  ["10", /"10" is not a duration/, /write the unit: 10s or 10ms/],
  ["10 s", /is not a duration/, /write 10s/],
  ["10S", /is not a duration/, /write 10s/],
  ["", /"" is not a duration/, /with a unit/],
  ["s", /is not a duration/, /with a unit/],
  ["-1s", /is not a duration/, /with a unit/],
  ["1e3s", /is not a duration/, /with a unit/],
  ["1.s", /is not a duration/, /with a unit/],
  ["1y", /is not a duration/, /with a unit/],
  ["0.5ms", /finer than a millisecond/, /1ms/],
  ["1.0005s", /finer than a millisecond/, /1ms/],
  ["99999999999999999d", /too long/, /^$/],
];

for (const [text, message, hint] of refused) {
  test(`durations: ${JSON.stringify(text)} is refused with a hint`, () => {
    assert.throws(
      () => parseDuration(text),
      (error: unknown) =>
        error instanceof Refusal && message.test(error.message) && hint.test(error.hint ?? ""),
    );
  });
}

test("durations: what is formatted is read back as the same number", () => {
  const anyMs = fc.integer({ min: 0, max: 400 * 86_400_000 });
  fc.assert(fc.property(anyMs, (ms) => parseDuration(formatDuration(ms)) === ms));
});

test("durations: are formatted in the shortest way", () => {
  assert.equal(formatDuration(90_000), "1m30s");
  assert.equal(formatDuration(1500), "1s500ms");
  assert.equal(formatDuration(0), "0ms");
});

function messageOf(schema: ReturnType<typeof duration>, value: unknown): string {
  return schema.safeParse(value).error?.issues[0]?.message ?? "accepted";
}

test("durations: a number without a unit is refused, whatever was meant", () => {
  assert.equal(
    messageOf(duration(), 10),
    "expected a duration, found 10; write the unit: 10s or 10ms",
  );
});

test("durations: no time at all and more than a timer can count are refused", () => {
  assert.equal(messageOf(duration(), "0s"), "0s is too short");
  assert.equal(messageOf(duration({ minMs: 0 }), "0s"), "accepted");
  assert.equal(duration().parse(`${TIMER_MS_MAX}ms`), TIMER_MS_MAX);
  assert.equal(messageOf(duration(), "25d"), "25d is too long");
});

test("durations: none is 0 where it is allowed", () => {
  assert.equal(duration({ none: true }).parse("none"), 0);
  assert.equal(messageOf(duration(), "none"), '"none" is not a duration');
});
