// HOT
/** The step that a limit takes after each window: gradient of latencies, as Envoy's adaptive concurrency has it. */

/** However much slower a window was, it takes half of the limit at most, and however fast, it doubles it. */
const GRADIENT_MIN = 0.5;
const GRADIENT_MAX = 2;
/** Below that share of the limit in use a window does not say whether more would do. */
const USED_SHARE_MIN = 0.5;

export interface MeasuredWindow {
  limit: number;
  /** Latency without load, and of the window. */
  minRttMs: number;
  sampleMs: number;
  /** Most requests in flight in it. */
  peak: number;
}

/**
 * `gradient * limit + sqrt(gradient * limit)`, where the gradient is the latency without load, with the buffer added,
 * over that of the window. The root is a queue that is allowed for: it lets the limit find out whether there is more.
 *
 * @param buffer share that is added to the latency without load
 */
export function nextLimit(window: MeasuredWindow, buffer: number): number {
  const { limit, minRttMs, sampleMs, peak } = window;
  const ratio = (minRttMs * (1 + buffer)) / sampleMs;
  const gradient =
    ratio < GRADIENT_MIN ? GRADIENT_MIN : ratio > GRADIENT_MAX ? GRADIENT_MAX : ratio;
  const scaled = gradient * limit;
  const next = scaled + Math.sqrt(scaled);
  return next > limit && peak < limit * USED_SHARE_MIN ? limit : next;
}
