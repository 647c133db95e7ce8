/**
 * concurrency-limit: refuses requests while as many as allowed are under way.
 */
import { defineFaultType, Fault } from "../../base/faults.ts";
import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import { compileLimitKey, limitKeyNeeds } from "../../policy/limit-key.ts";
import { definePolicy } from "../../policy/policy.ts";
import { ipv6Prefix, limitKey } from "../../policy/values/limit-key.ts";
import { count, flag } from "../../policy/values/number.ts";
import { refusalStatus, statusFor } from "../../policy/values/refusal-status.ts";
import { section } from "../../policy/values/section.ts";

const tooManyInFlight = defineFaultType("too-many-in-flight", {
  status: 429,
  title: "Too many requests at once",
  whose: "client",
  retrySafe: "always",
  cause: "The caller has as many requests under way as the policy `concurrency-limit` allows it.",
  remedy: "Wait for answers before sending more, or raise `max`.",
});

const noCapacity = defineFaultType("no-capacity", {
  status: 503,
  title: "No capacity left",
  whose: "gateway",
  retrySafe: "always",
  cause: "As many requests are under way as the policy `concurrency-limit` allows all callers.",
  remedy: "Try again after `Retry-After`; make the service quicker, or raise `max`.",
});

const RETRY_SOON = { "retry-after": "1" };
const refusals = {
  429: new Fault(tooManyInFlight, "", "", RETRY_SOON),
  503: new Fault(noCapacity, "", "", RETRY_SOON),
};

export default definePolicy({
  name: "concurrency-limit",
  summary: "Refuses requests while as many as allowed are under way.",
  schema: section({
    max: count({ min: 1, max: 1_000_000 }).describe("Requests under way at once, for each key."),
    by: limitKey()
      .prefault("client")
      .describe("What is counted apart: one source, or a list of several that are combined."),
    ipv6Prefix: ipv6Prefix()
      .prefault(64)
      .describe("IPv6 addresses that share a prefix of this many bits are one."),
    status: refusalStatus()
      .optional()
      .describe("429 or 503; by default 503 where `by` is `all` or `route`, else 429."),
    dryRun: flag().prefault(false).describe("Only count what would have been refused."),
  }),
  results: ["allowed", "limited", "would-limit"],
  faults: [tooManyInFlight, noCapacity],
  needs: ({ by }) => limitKeyNeeds(by),

  compile({ max, by, ipv6Prefix: prefix, status, dryRun }, environment) {
    const { id, concurrency } = environment;
    const keyOf = compileLimitKey({ parts: by, ipv6Prefix: prefix }, environment);
    const refusal = dryRun ? undefined : refusals[statusFor(status, by)];
    const allowed = environment.counter("allowed");
    const limited = environment.counter(dryRun ? "would-limit" : "limited");
    /** Keys of requests that were let in, under which they are let go. */
    const acquired = new ExchangeMemory<string>();
    return {
      onRequest(exchange) {
        const key = keyOf(exchange);
        if (!concurrency.acquire(id, key, max)) {
          limited.add(1);
          return refusal;
        }
        acquired.set(exchange, key);
        allowed.add(1);
        return undefined;
      },
      onEnd(exchange) {
        const key = acquired.get(exchange);
        if (key !== undefined) concurrency.release(id, key);
      },
    };
  },
});
