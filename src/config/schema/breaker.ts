import { z } from "zod";
import { flagOr } from "../../policy/values/flag-or.ts";
import { duration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { count } from "../../policy/values/number.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { percent } from "../../policy/values/percent.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { listOf } from "../../policy/values/text.ts";
import { TRIALS_MAX } from "../../upstream/breaker/breaker-cells.ts";

/** When a service, or a target of it, is left alone; durations in ms, shares from 0 to 1. */
export interface BreakerConfig {
  /** 0: never for failures. */
  errors: number;
  /** null: never for being slow. */
  slow: { afterMs: number; share: number } | null;
  windowMs: number;
  requests: number;
  openMs: number;
  openMaxMs: number;
  trials: number;
  /** `connect`, `timeout`, `reset`, statuses and classes of them. */
  failures: string[];
  per: "service" | "target";
}

const FAILURES_HINT = "write connect, timeout, reset, a status like 503 or a class like 5xx";
/** 501 and 505 are what a client can have for the asking. */
const failuresDefault = ["500", "502", "503", "504", "connect", "timeout", "reset"];

const failure = z.union(
  [
    z.int().min(400).max(599).transform(String),
    parsedText(parseFailure, { what: "a failure", hint: FAILURES_HINT, sample: "5xx" }),
  ],
  { error: expected("a failure", FAILURES_HINT) },
);

const slowObject = section({
  after: duration().prefault("5s").describe("An answer whose head takes longer is slow."),
  share: percent().prefault("80%").describe("Opens when this share of the tries is slow."),
});

const breakerObject = section({
  errors: z
    .union([z.literal(false), percent()], { error: expected("a percentage or false") })
    .prefault("50%")
    .describe("Opens when this share of the tries has failed; `false`: never for that."),
  slow: z
    .union([z.literal(false), slowObject], { error: expected("false or { after, share }") })
    .prefault({})
    .describe("Opens when many answers are slow; `false`: never for that."),
  window: duration({ minMs: 1000, maxMs: 3_600_000 })
    .prefault("10s")
    .describe("Time that is looked back at."),
  requests: count({ min: 1, max: 100_000 })
    .prefault(20)
    .describe("Fewer tries in the window never open it."),
  open: duration({ minMs: 1000, maxMs: 3_600_000 })
    .prefault("10s")
    .describe(
      "Time without requests; doubles while openings follow on each other, give or take 10%.",
    ),
  openMax: duration({ minMs: 1000, maxMs: 86_400_000 })
    .prefault("5m")
    .describe("Longest such time."),
  trials: count({ min: 1, max: TRIALS_MAX })
    .prefault(3)
    .describe("Requests let pass after that time, to decide whether it closes or opens again."),
  failures: listOf(failure, "a failure")
    .prefault(failuresDefault)
    .describe(
      "What is a failure: `connect`, `timeout`, `reset`, statuses and classes like `5xx`. " +
        "That a client left never is.",
    ),
  per: z
    .enum(["service", "target"], { error: expected("service or target") })
    .prefault("service")
    .describe(
      "`service`: one breaker, refused requests get 503. `target`: one for each, and others are asked.",
    ),
});

/** `services.NAME.breaker`; null for none. */
export const breaker = flagOr(breakerObject, "{ errors: 50% }").transform(
  (written): BreakerConfig | null => {
    if (written === false) return null;
    const value = written === true ? breakerObject.parse({}) : written;
    const { errors, slow, window: windowMs, open, openMax, ...rest } = value;
    return {
      ...rest,
      errors: errors === false ? 0 : errors,
      slow: slow === false ? null : { afterMs: slow.after, share: slow.share },
      windowMs,
      openMs: open,
      openMaxMs: openMax,
    };
  },
);

function parseFailure(text: string): string {
  if (/^(?:connect|timeout|reset|[45](?:xx|\d\d))$/.test(text)) return text;
  if (/^[1-3](?:xx|\d\d)$/.test(text)) {
    throw new Refusal(`${JSON.stringify(text)} is no failure`, FAILURES_HINT);
  }
  throw new Refusal(`${JSON.stringify(text)} is not a failure`, FAILURES_HINT);
}
