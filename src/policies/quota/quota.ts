/**
 * quota: refuses requests beyond a number in a day, a month or another period, through restarts.
 */
import { defineFaultType } from "../../base/faults.ts";
import { limitKeyNeeds } from "../../policy/limit-key.ts";
import { definePolicy } from "../../policy/policy.ts";
import { checkQuota } from "./check-quota.ts";
import { QuotaKeeper } from "./quota-keeper.ts";
import { quotaOptions } from "./quota-options.ts";

const quotaExceeded = defineFaultType("quota-exceeded", {
  status: 429,
  title: "Quota exceeded",
  whose: "client",
  retrySafe: "always",
  cause:
    "The caller, or whatever else the policy `quota` counts by, has used all that the period holds.",
  remedy:
    "Wait until the next period, as `Retry-After` says, or ask for a larger quota. Without `Retry-After` the request costs more than the quota ever holds.",
});

export default definePolicy({
  name: "quota",
  summary:
    "Refuses requests beyond a number in a day, a month or another period, through restarts.",
  schema: quotaOptions,
  results: ["allowed", "limited", "would-limit", "store-away"],
  faults: [quotaExceeded],
  needs({ by, anchor }) {
    const isOwn = anchor !== undefined && "metadata" in anchor;
    return isOwn ? ["identity"] : limitKeyNeeds(by);
  },
  check: checkQuota,

  compile(options, environment) {
    const keeper = new QuotaKeeper(options, environment, quotaExceeded);
    const { onResponse, onEnd } = keeper;
    return {
      onRequest: (exchange) => keeper.onRequest(exchange),
      ...(onResponse === null ? {} : { onResponse }),
      ...(onEnd === null ? {} : { onEnd }),
    };
  },
});
