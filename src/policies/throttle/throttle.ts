/**
 * throttle: lets requests go on at an even pace, and has those that come too early wait.
 */
import { defineFaultType } from "../../base/faults.ts";
import { compileLimitKey, limitKeyNeeds } from "../../policy/limit-key.ts";
import { definePolicy, type OptionMistake } from "../../policy/policy.ts";
import { RetryFaults } from "../../base/retry-faults.ts";
import { duration, formatDuration } from "../../policy/values/duration.ts";
import { ipv6Prefix, limitKey } from "../../policy/values/limit-key.ts";
import { count } from "../../policy/values/number.ts";
import { refusalStatus, statusFor } from "../../policy/values/refusal-status.ts";
import { section } from "../../policy/values/section.ts";
import { Pacer } from "./pacer.ts";
import { WaitingRoom } from "../../policy/waiting-room.ts";

/** A client's own patience ends before. */
const DELAY_MAX_MS = 60_000;

const faults = {
  429: defineFaultType("too-many-waiting", {
    status: 429,
    title: "Too many requests are waiting",
    whose: "client",
    retrySafe: "always",
    cause: "The caller has as many requests waiting as the policy `throttle` allows it.",
    remedy: "Wait for as long as `Retry-After` says, and keep to the pace.",
  }),
  503: defineFaultType("pace-exceeded", {
    status: 503,
    title: "Too many requests are waiting",
    whose: "gateway",
    retrySafe: "always",
    cause: "All callers together have as many requests waiting as the policy `throttle` allows.",
    remedy: "Try again after `Retry-After`; raise `rate`, if the service can do more.",
  }),
};

export default definePolicy({
  name: "throttle",
  summary: "Lets requests go on at an even pace, and has those that come too early wait.",
  schema: section({
    rate: count({ min: 1, max: 1_000_000 }).describe("Requests that go on in the time of `per`."),
    per: duration({ maxMs: 3_600_000 }).prefault("1s").describe("Time in which they do."),
    burst: count({ min: 1, max: 1_000_000 })
      .prefault(1)
      .describe("Requests that may go on at once, after a time without any."),
    maxDelay: duration({ maxMs: DELAY_MAX_MS })
      .prefault("5s")
      .describe("What would have to wait longer is refused."),
    maxQueue: count({ min: 1, max: 100_000 })
      .prefault(100)
      .describe("Requests that may wait at once, for each key; more are refused."),
    by: limitKey()
      .prefault("client")
      .describe("What is paced apart: one source, or a list of several that are combined."),
    ipv6Prefix: ipv6Prefix()
      .prefault(64)
      .describe("IPv6 addresses that share a prefix of this many bits are one."),
    status: refusalStatus()
      .optional()
      .describe("429 or 503; by default 503 where `by` is `all` or `route`, else 429."),
  }),
  results: ["passed", "delayed", "limited", "left"],
  faults: [faults[429], faults[503]],
  needs: ({ by }) => limitKeyNeeds(by),
  check: ({ rate, per, maxDelay }) => {
    const mistakes: OptionMistake[] = [];
    const intervalMs = per / rate;
    if (maxDelay < intervalMs) {
      mistakes.push({
        path: ["maxDelay"],
        message: `requests are ${formatDuration(Math.ceil(intervalMs))} apart, so none would ever wait`,
        hint: "allow a longer delay, or use rate-limit",
      });
    }
    return mistakes;
  },

  compile(options, environment) {
    const { by, ipv6Prefix: prefix, status } = options;
    const keyOf = compileLimitKey({ parts: by, ipv6Prefix: prefix }, environment);
    const pacer = new Pacer(options, environment);
    const room = new WaitingRoom();
    const refusals = new RetryFaults(faults[statusFor(status, by)]);
    const passed = environment.counter("passed");
    const delayed = environment.counter("delayed");
    const limited = environment.counter("limited");
    const left = environment.counter("left");
    return {
      onRequest(exchange) {
        const key = keyOf(exchange);
        if (!pacer.reserve(key)) {
          limited.add(1);
          return refusals.after(pacer.retryMs);
        }
        if (pacer.delayMs === 0) {
          passed.add(1);
          return undefined;
        }
        delayed.add(1);
        return room.wait(exchange, key, pacer.delayMs);
      },
      onEnd(exchange) {
        const key = room.leave(exchange);
        if (key === undefined) return;
        left.add(1);
        pacer.giveBack(key);
      },
    };
  },
});
