import { z } from "zod";
import { duration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { count } from "../../policy/values/number.ts";
import { percent } from "../../policy/values/percent.ts";
import { section } from "../../policy/values/section.ts";
import type { ConcurrencyConfig } from "../../upstream/shedding/concurrency-config.ts";

const baseline = section({
  every: duration({ minMs: 1000 })
    .prefault("60s")
    .describe(
      "Time between two measurements under load; for each a quarter of the limit is admitted, briefly.",
    ),
  jitter: percent()
    .prefault("10%")
    .describe("Most that is added to `every`, so that gateways do not measure together."),
  requests: count({ min: 1, max: 10_000 })
    .prefault(50)
    .describe("Answers that make a measurement."),
}).transform(({ every, ...rest }) => ({ ...rest, everyMs: every }));

const concurrencyObject = section({
  min: count({ min: 1, max: 100_000 })
    .prefault(10)
    .describe(
      "The limit never falls below, though the least of priorities may fill half of it only.",
    ),
  max: count({ min: 1, max: 100_000 }).prefault(1000).describe("The limit never rises above."),
  start: count({ min: 1, max: 100_000 })
    .optional()
    .describe("The limit before anything is known of the service. Default: 50, between the two."),
  window: duration({ minMs: 100, maxMs: 60_000 })
    .prefault("200ms")
    .describe("How often the limit follows what answers take: no sooner than 20 answers."),
  percentile: percent()
    .prefault("50%")
    .describe("Which of a window's answers counts: 50% is the one in the middle."),
  buffer: percent()
    .prefault("25%")
    .describe("How much slower than without load answers may become before the limit falls."),
  baseline: baseline.prefault({}).describe("How it is found out what answers take without load."),
});

const START = 50;

/** `services.NAME.concurrency`: `adaptive` or a map. */
export const concurrency = z
  .union([z.literal("adaptive").transform(() => concurrencyObject.parse({})), concurrencyObject], {
    error: expected("adaptive, or a map of options"),
  })
  .transform((value, context): ConcurrencyConfig => {
    const { window: windowMs, min, max, ...rest } = value;
    const { start = Math.min(max, Math.max(min, START)) } = value;
    const refuse = (key: string, message: string, hint: string): void => {
      const params = { hint };
      context.issues.push({ code: "custom", message, params, input: value, path: [key] });
    };
    if (min > max) refuse("min", `min ${min} is above max ${max}`, "swap the two");
    else if (start < min) refuse("start", `below min ${min}`, `at least ${min}`);
    else if (start > max) refuse("start", `above max ${max}`, `at most ${max}`);
    if (value.percentile === 0) refuse("percentile", "0% is the luckiest answer", "write 50%");
    return { ...rest, min, max, start, windowMs };
  });
