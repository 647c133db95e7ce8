/** How requests are counted. Times are epoch milliseconds, so that machines agree. */

/** Costs since the last multiple of the window; lets up to twice the limit pass around its edge. */
export const FIXED_WINDOW = 0;
/**
 * Costs of the current fixed window, and of the one before as far as the last `windowMs` reach into it, as
 * if its requests had come evenly.
 */
export const SLIDING_WINDOW = 1;
/** Costs flow out evenly, `refill` in each window; up to `limit` may be there at once. */
export const TOKEN_BUCKET = 2;

/** One limit: what it counts and how. Make it once; it is the same object for every request. */
export interface LimitRule {
  /**
   * Unique among all rules, best made of the environment's `id`. Counts are kept under it, the algorithm,
   * the window and the key: a rule that gets another limit goes on from what it has counted, one that gets
   * another window begins anew.
   */
  readonly id: string;
  readonly algorithm: number;
  /** Costs allowed in a window; for a bucket its size. At least 1. */
  readonly limit: number;
  /** Length of a window; for a bucket the time in which `refill` flows in. At least 1. */
  readonly windowMs: number;
  /** Tokens for each window; equal to `limit` unless a bucket holds more or less. Above 0. */
  readonly refill: number;
}

/** What a table says of one request; reused, so read it before the next call. Numbers may be fractions. */
export interface LimitVerdict {
  allowed: boolean;
  /** Costs that are left now, not below 0. */
  remaining: number;
  /** Milliseconds until all of the limit is there again. */
  resetMs: number;
  /** Milliseconds until this cost would be allowed; 0 when it is, Infinity when it is above the limit. */
  retryMs: number;
}

/** An empty verdict, for a table to fill. */
export function createVerdict(): LimitVerdict {
  return { allowed: false, remaining: 0, resetMs: 0, retryMs: 0 };
}
