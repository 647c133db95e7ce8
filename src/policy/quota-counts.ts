import type { QuotaPeriod, QuotaRule, QuotaVerdict } from "../base/limits/shared-quota-table.ts";

export type { QuotaPeriod, QuotaRule, QuotaVerdict } from "../base/limits/shared-quota-table.ts";

/**
 * What is used of quotas, by rule, key and period: exact over all workers, and lasting. Nothing is ever
 * forgotten before its period is over; a crash of the whole process counts up to a hundredth of a limit as
 * used that was not. Keys may be of any length and content. Costs are 0 or more, also fractions.
 */
export interface QuotaCounts {
  /** Takes `cost` if it is there, in one step, and fills `verdict`. */
  take(
    rule: QuotaRule,
    key: string,
    period: QuotaPeriod,
    cost: number,
    nowMs: number,
    verdict: QuotaVerdict,
  ): void;
  /** Gives back what `take` took, where the request turned out not to count; never below nothing used. */
  refund(rule: QuotaRule, key: string, period: QuotaPeriod, cost: number, nowMs: number): void;
}
