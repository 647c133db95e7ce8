/** `services.NAME.concurrency`, normalised. */
export interface ConcurrencyConfig {
  /** Bounds of the limit, and what it begins with. */
  min: number;
  max: number;
  start: number;
  /** How long latencies are gathered before the limit follows them. */
  windowMs: number;
  /** Which of a window's latencies counts, from 0 to 1. */
  percentile: number;
  /** How much slower than alone answers may become, as a share of the latency alone. */
  buffer: number;
  /** How the latency without load is measured. */
  baseline: {
    everyMs: number;
    /** Most that is added to `everyMs`, as a share of it. */
    jitter: number;
    requests: number;
  };
}
