/** What may be followed by another try. The first four are failures, the others answers. */
export const retryConditions = [
  "connect-failure",
  "refused",
  "reset",
  "timeout",
  "gateway-error",
  "5xx",
  "retriable-4xx",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
] as const;

export type RetryCondition = (typeof retryConditions)[number] | number;

/** `retry` of a service or a route, normalised. */
export interface RetryConfig {
  /** Tries after the first. */
  attempts: number;
  on: readonly RetryCondition[];
  backoff: { baseMs: number; maxMs: number };
  /** For one try, from the choice of its target to the head of its answer; 0 for none. */
  perTryMs: number;
  /** Longest `Retry-After` that is waited for. */
  retryAfterMs: number;
  /** Most of a request's body that is kept to be sent again. */
  bodyBytes: number;
  /** Name in lower case of the header that makes any request repeatable; "" for none. */
  idempotencyKey: string;
  /** Any request may be sent twice. */
  unsafe: boolean;
}

/** `hedge` of a service or a route, normalised: milliseconds, or the share of answers that are faster. */
export type HedgeConfig = { afterMs: number } | { quantile: number };
