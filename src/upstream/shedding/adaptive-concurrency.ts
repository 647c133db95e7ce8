// HOT
import { faultTypes } from "../../base/faults.ts";
import type { Fault } from "../../base/faults.ts";
import { upstreamResult } from "../../base/metrics/families.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { Random } from "../../base/random.ts";
import type { SharedClock } from "../../base/shared-clock.ts";
import { TICK_MS } from "../../base/shared-clock.ts";
import type { Attempt, Guard } from "../guard.ts";
import type { ConcurrencyConfig } from "./concurrency-config.ts";
import { COUNT_FROM, COUNTS_NONE, LIMIT, MIN_RTT_MS } from "./concurrency-record.ts";
import type { ConcurrencyRecord } from "./concurrency-record.ts";
import { LatencyWindow } from "./latency-window.ts";
import { LimitControl } from "./limit-control.ts";
import type { WindowShare } from "./limit-control.ts";
import { refusalsOf } from "./refusals.ts";
import type { SheddingNotice } from "./shedding-notice.ts";

/** How much of a limit each priority may fill: what is above is kept for those that matter more. */
export const PRIORITY_SHARES = [0.5, 0.75, 0.9, 1] as const;

/** Latencies that have waited so long for the next ones are no part of the same window. */
const STALE_TICKS = 100;

const REFUSALS = refusalsOf(faultTypes["service-overloaded"]);

/** What a worker brings to the limit of one service. */
export interface AdaptiveConcurrencyParts {
  record: ConcurrencyRecord;
  clock: SharedClock;
  random: Random;
  /** Refused tries by priority. */
  refused: Pick<Counter, "addAt">;
  notice: SheddingNotice;
}

/**
 * Bounds how many requests a service works on at once, by how its latency follows their number. The limit and the
 * count of what is in flight are of all workers together: were each to measure for itself, the others' load would
 * pass for the latency without load. Per try it costs two atomic additions and a logarithm. A try counts until the
 * head of its answer has come, so that neither tunnels nor clients that read slowly fill the limit.
 */
export class AdaptiveConcurrency implements Guard {
  private readonly record: ConcurrencyRecord;
  private readonly cells: Int32Array;
  private readonly clock: SharedClock;
  private readonly random: Random;
  private readonly refused: Pick<Counter, "addAt">;
  private readonly notice: SheddingNotice;
  private readonly control: LimitControl;
  private readonly latencies: LatencyWindow;
  private readonly share: WindowShare;
  /** The share of the window is told at that tick. */
  private tellsAt: number;
  /** What `COUNT_FROM` was when the latencies were gathered. */
  private countFrom: number;

  constructor(config: ConcurrencyConfig, parts: AdaptiveConcurrencyParts) {
    this.record = parts.record;
    this.cells = parts.record.cells;
    this.clock = parts.clock;
    this.random = parts.random;
    this.refused = parts.refused;
    this.notice = parts.notice;
    this.control = new LimitControl(config, parts.random);
    this.latencies = new LatencyWindow();
    this.share = { count: 0, latencyMs: 0, peak: 0 };
    this.tellsAt = 0;
    this.countFrom = 0;
  }

  admit(priority: number, attempt: Attempt): Fault | null {
    const inFlight = this.record.addInFlight(1);
    if (inFlight > this.share.peak) this.share.peak = inFlight;
    let limit = this.cells[LIMIT]!;
    if (limit === 0) limit = this.begin();
    const allowed = (limit * PRIORITY_SHARES[priority]!) | 0;
    // One may always pass: who is refused everything never finds out that things are better.
    if (inFlight <= allowed || inFlight === 1) {
      attempt.fillsLimit = true;
      return null;
    }
    this.record.addInFlight(-1);
    const { tick } = this.clock;
    this.refused.addAt(priority, 1);
    this.notice.refused(tick);
    if (tick >= this.tellsAt) this.tell(tick);
    return REFUSALS[this.random.below(REFUSALS.length)]!;
  }

  /** Bodies may take hours, at the pace of clients: what counts is over. */
  answered(status: number, latencyMs: number, attempt: Attempt): void {
    this.leave(status < 500, latencyMs, attempt);
  }

  ended(result: number, status: number, latencyMs: number, attempt: Attempt): void {
    // A full waiting line, or nobody to connect to, says nothing of how long work takes.
    const counted = result === upstreamResult.connect ? 0 : latencyMs;
    this.leave(status > 0 && status < 500, counted, attempt);
  }

  /**
   * Fast failures say nothing of a service under load. Slow ones, and clients that have had enough, say that it takes
   * at least that long: without them a service that answers nobody in time would seem idle.
   */
  private leave(isGood: boolean, latencyMs: number, attempt: Attempt): void {
    if (!attempt.fillsLimit) return;
    attempt.fillsLimit = false;
    this.record.addInFlight(-1);
    const { tick } = this.clock;
    if (isGood || latencyMs > this.record.floats[MIN_RTT_MS]!) this.gather(tick, latencyMs);
    if (tick >= this.tellsAt) this.tell(tick);
  }

  private gather(tick: number, latencyMs: number): void {
    const from = this.cells[COUNT_FROM]!;
    if (from !== this.countFrom) {
      this.countFrom = from;
      this.latencies.clear();
    }
    // Sent before the measurement began.
    if (from === COUNTS_NONE || (from > 0 && latencyMs > (tick - from) * TICK_MS)) return;
    if (tick - this.tellsAt > STALE_TICKS) this.latencies.clear();
    this.latencies.add(latencyMs);
  }

  private begin(): number {
    const { record, control, clock } = this;
    const { tick } = clock;
    if (record.tryLock(tick)) {
      if (record.limit === 0) control.begin(record, tick);
      record.unlock();
    }
    return control.config.start;
  }

  private tell(tick: number): void {
    const { record, share, latencies, control } = this;
    if (!record.tryLock(tick)) return;
    // The phase may have changed since the last latency came.
    if (this.cells[COUNT_FROM] !== this.countFrom) {
      this.countFrom = this.cells[COUNT_FROM]!;
      latencies.clear();
    }
    share.count = latencies.count;
    share.latencyMs = latencies.percentile(control.config.percentile);
    control.merge(record, tick, share);
    record.unlock();
    latencies.clear();
    share.peak = 0;
    // While little is admitted every tick counts.
    this.tellsAt = tick + (this.cells[COUNT_FROM] === 0 ? control.windowTicks : 1);
  }
}
