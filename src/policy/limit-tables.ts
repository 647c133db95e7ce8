import type { LimitRule, LimitVerdict } from "../base/limits/limit-rule.ts";

export {
  createVerdict,
  FIXED_WINDOW,
  SLIDING_WINDOW,
  TOKEN_BUCKET,
} from "../base/limits/limit-rule.ts";
export type { LimitRule, LimitVerdict } from "../base/limits/limit-rule.ts";

/**
 * Counts by rule and key that all workers share and that are exact: never one too many, however many
 * threads ask at once. Bounded: beyond its capacity the entries that matter least are forgotten. Keys may
 * be of any length and content: only a fingerprint is kept. Costs are 0 or more, also fractions.
 */
export interface LimitTable {
  /** Takes `cost` if it is there, in one step, and fills `verdict`. */
  take(rule: LimitRule, key: string, cost: number, nowMs: number, verdict: LimitVerdict): void;
  /** Looks without taking. */
  peek(rule: LimitRule, key: string, cost: number, nowMs: number, verdict: LimitVerdict): void;
  /** Takes whatever is left, also beyond it: for costs that are known afterwards. */
  charge(rule: LimitRule, key: string, cost: number, nowMs: number): void;
  /** Gives back what `take` took, where the request turned out not to count; never below nothing taken. */
  refund(rule: LimitRule, key: string, cost: number, nowMs: number): void;
}

/**
 * Numbers of what is under way, by scope and key, that all workers share and that are exact. A scope is a
 * constant text, best the environment's `id`; keys may be of any length and content.
 */
export interface ConcurrencyTable {
  /** One more under `key`, unless `max` are under way: then nothing changes, and the answer is false. */
  acquire(scope: string, key: string, max: number): boolean;
  /** One that `acquire` let in is over. What a worker that dies has not released is released for it. */
  release(scope: string, key: string): void;
  /** How many are under way under `key`. */
  count(scope: string, key: string): number;
}
