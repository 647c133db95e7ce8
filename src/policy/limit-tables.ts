/** How requests are counted. Times are epoch milliseconds, so that machines agree. */
export const FIXED_WINDOW = 0;
export const SLIDING_WINDOW = 1;
export const TOKEN_BUCKET = 2;

/** One limit: what it counts and how. Make it once; it is the same object for every request. */
export interface LimitRule {
  /** Unique among all rules; counts are kept under it and the key. */
  readonly id: string;
  readonly algorithm: number;
  /** Costs allowed in a window; for a bucket its size. */
  readonly limit: number;
  /** Length of a window; for a bucket the time in which `refill` flows in. */
  readonly windowMs: number;
  /** Tokens for each window; equal to `limit` unless a bucket holds more or less. */
  readonly refill: number;
}

/** What a table says of one request; reused, so read it before the next call. */
export interface LimitVerdict {
  allowed: boolean;
  /** Costs that are left now. */
  remaining: number;
  /** Milliseconds until all of the limit is there again. */
  resetMs: number;
  /** Milliseconds until this cost would be allowed; 0 when it is. */
  retryMs: number;
}

/**
 * Counts by rule and key that all workers share and that are exact: never one too many, however many
 * threads ask at once. Bounded: beyond its capacity the entries that matter least are forgotten.
 */
export interface LimitTable {
  /** Takes `cost` if it is there, in one step, and fills `verdict`. */
  take(rule: LimitRule, key: string, cost: number, nowMs: number, verdict: LimitVerdict): void;
  /** Looks without taking. */
  peek(rule: LimitRule, key: string, cost: number, nowMs: number, verdict: LimitVerdict): void;
  /** Takes whatever is left, also beyond it: for costs that are known afterwards. */
  charge(rule: LimitRule, key: string, cost: number, nowMs: number): void;
  /** Gives back what `take` took, where the request turned out not to count. */
  refund(rule: LimitRule, key: string, cost: number, nowMs: number): void;
}

/** Numbers of what is under way, by key, that all workers share and that are exact. */
export interface ConcurrencyTable {
  /** One more under `key`, unless `max` are under way: then nothing changes, and the answer is false. */
  acquire(key: string, max: number): boolean;
  /** One that `acquire` let in is over. What a worker that dies has not released is released for it. */
  release(key: string): void;
  /** How many are under way under `key`. */
  count(key: string): number;
}
