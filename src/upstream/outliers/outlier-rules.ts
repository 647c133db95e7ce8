/** When a target of a service is an outlier, and for how long it is ejected then, normalised; counts of 0 for never. */
export interface OutlierRules {
  /** Failures in a row of any kind. */
  readonly consecutive5xx: number;
  /** 502, 503, 504 and failures without an answer, in a row. */
  readonly consecutiveGateway: number;
  /** Failures without an answer in a row: connecting, timeouts, connections that break. */
  readonly consecutiveLocal: number;
  readonly intervalMs: number;
  /** Times the ejections so far. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** A health check that passes ends an ejection. */
  readonly endsWhenHealthy: boolean;
  /** Share of the service's targets that may be ejected at once; one always may. */
  readonly maxEjected: number;
  readonly successRate: SuccessRateRule | null;
  readonly failures: FailuresRule | null;
  readonly slow: SlowRule | null;
}

/** What an interval has to have for a rule to say anything. */
interface Enough {
  /** Targets with that many requests. */
  readonly targets: number;
  readonly requests: number;
}

/** Below the mean success rate by more than so many standard deviations. */
export interface SuccessRateRule extends Enough {
  readonly factor: number;
}

/** At least this share failed. */
export interface FailuresRule extends Enough {
  readonly share: number;
}

/** Answers take on average so many times the median of the targets, and at least that long. */
export interface SlowRule extends Enough {
  readonly factor: number;
  readonly leastMs: number;
}
