/**
 * rate-limit: refuses requests beyond a number in a time.
 */
import { defineFaultType, faultTypes } from "../../base/faults.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import { compileLimitKey, limitKeyNeeds, type LimitKey } from "../../policy/limit-key.ts";
import { definePolicy } from "../../policy/policy.ts";
import { requestCost } from "../../policy/request-cost.ts";
import { checkRateLimit } from "./check-rate-limit.ts";
import { LimitHeaders } from "./limit-headers.ts";
import { limitRule, LimitSet } from "./limit-set.ts";
import { RateLimiter } from "./rate-limiter.ts";
import {
  limitsOf,
  rateLimitOptions,
  type Limit,
  type RateLimitOptions,
} from "./rate-limit-options.ts";
import { RedisTaking } from "./redis-taking.ts";

export const rateLimited = defineFaultType("rate-limited", {
  status: 429,
  title: "Too many requests",
  whose: "client",
  retrySafe: "always",
  cause: "The caller, or whatever else the policy `rate-limit` counts by, has used up its limit.",
  remedy:
    "Wait for as long as `Retry-After` says; `RateLimit` says beforehand how much is left. Without `Retry-After` the request costs more than the limit ever allows.",
});

export default definePolicy({
  name: "rate-limit",
  summary: "Refuses requests beyond a number in a time, by caller or by anything else.",
  schema: rateLimitOptions.prefault({}),
  results: ["allowed", "limited", "would-limit", "store-away"],
  faults: [rateLimited],
  needs: (options) => [...new Set(limitsOf(options).flatMap(({ by }) => limitKeyNeeds(by)))],
  check: checkRateLimit,

  compile(options, environment) {
    const limits = limitsOf(options);
    const set = new LimitSet(
      limits.map((limit) => limitRule(limit, environment.id)),
      keysOf(limits, options, environment),
    );
    const { headers: kind, dryRun, store } = options;
    const headers = kind === "none" || dryRun ? null : new LimitHeaders(kind, limits);
    const limiter = new RateLimiter({
      set,
      headers,
      isDry: dryRun,
      costOf: requestCost(options.cost, environment),
      environment,
      faults: { limited: rateLimited, unavailable: faultTypes["limits-unavailable"] },
    });
    const taking = store === "redis" ? new RedisTaking(set, environment) : null;
    return {
      onRequest:
        taking === null
          ? (exchange) => limiter.onRequest(exchange)
          : (exchange) => limiter.onSharedRequest(exchange, taking, options.whenStoreIsAway),
      ...(headers === null ? {} : { onResponse: (exchange) => headers.add(exchange) }),
    };
  },
});

/** One function for all limits that count by the same, so that it runs once. */
function keysOf(
  limits: readonly Limit[],
  { ipv6Prefix }: RateLimitOptions,
  environment: PolicyEnvironment,
): LimitKey[] {
  const known = new Map<string, LimitKey>();
  return limits.map(({ by }) => {
    const text = JSON.stringify(by);
    const key = known.get(text) ?? compileLimitKey({ parts: by, ipv6Prefix }, environment);
    known.set(text, key);
    return key;
  });
}
