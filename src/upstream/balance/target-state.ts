// HOT
/**
 * What is known of a target beyond one snapshot: requests in flight, latency, failures. Kept by
 * `TargetRegistry` for as long as any snapshot names the target; every worker has its own, but the
 * requests in flight are counted for all workers together where the main thread gave a slot.
 */
import { NO_SLOT } from "../../base/shared-counters.ts";
import { RECORD_INTS } from "../../base/shared-records.ts";
import type { SharedCounters } from "../../base/shared-counters.ts";

/** First wait after a failed connect; doubles with each further one. */
const COOL_MS_MIN = 1000;
/** Like NGINX's fail_timeout of 10 s and Envoy's base ejection of 30 s, the longest wait. */
const COOL_MS_MAX = 30_000;

export class TargetState {
  readonly identity: string;
  /** Slot of the count of requests in flight, or `NO_SLOT`: then this worker counts its own. */
  readonly slot: number;
  /** What all threads know together; see `target-record.ts`. */
  readonly record: Int32Array;
  private readonly counters: SharedCounters | undefined;
  private inFlightLocal: number;
  /** Requests that failed since the last one that did not. */
  failuresConsecutive: number;
  /** Not chosen before this time (ms of the balancer's clock) after a failed connect; 0 if none failed. */
  coolUntilMs: number;
  private connectFailures: number;
  /**
   * Decaying peak of latencies in ms (0 before the first), and when it was that. Kept in an array
   * because V8 allocates a new box for many a fraction that is stored in a field. See `PeakEwma`.
   */
  readonly latency: Float64Array;
  /** @internal Snapshots that name it. */
  leases: number;

  constructor(
    identity: string,
    counters: SharedCounters | undefined,
    slot: number,
    record: Int32Array = new Int32Array(RECORD_INTS),
  ) {
    this.identity = identity;
    this.record = record;
    this.slot = slot;
    this.counters = slot === NO_SLOT ? undefined : counters;
    this.inFlightLocal = 0;
    this.failuresConsecutive = 0;
    this.coolUntilMs = 0;
    this.connectFailures = 0;
    this.latency = new Float64Array(2);
    this.leases = 0;
  }

  /** Requests in flight, of all workers where they share the count. */
  inFlight(): number {
    const counters = this.counters;
    return counters === undefined ? this.inFlightLocal : counters.peek(this.slot);
  }

  started(): void {
    const counters = this.counters;
    if (counters === undefined) this.inFlightLocal += 1;
    else counters.add(this.slot, 1);
  }

  /** Nothing is known of how it would have ended. */
  left(): void {
    const counters = this.counters;
    if (counters === undefined) this.inFlightLocal -= 1;
    else counters.add(this.slot, -1);
  }

  ended(failed: boolean): void {
    this.left();
    if (failed) {
      this.failuresConsecutive += 1;
      return;
    }
    this.failuresConsecutive = 0;
    this.connectFailures = 0;
    this.coolUntilMs = 0;
  }

  /** A connect failed: leave the target alone for 1 s, 2 s, 4 s ... 30 s, until a request succeeds. */
  unreachable(nowMs: number): void {
    // Requests that failed together are one failure, not a reason to wait ever longer.
    if (nowMs < this.coolUntilMs) return;
    const doublings = this.connectFailures < 5 ? this.connectFailures : 5;
    const waitMs = COOL_MS_MIN << doublings;
    this.connectFailures += 1;
    this.coolUntilMs = Math.ceil(nowMs) + (waitMs < COOL_MS_MAX ? waitMs : COOL_MS_MAX);
  }
}
