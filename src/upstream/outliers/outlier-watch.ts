// HOT
/**
 * Outlier detection of one target by the worker that asks it: failures in a row, counted by all workers together,
 * eject it at once. What takes a whole interval to tell is counted here and looked at by the main thread.
 *
 * Costs an answer that is well three reads, and two atomic additions where intervals are looked at.
 */
import { ejectionReason, upstreamResult } from "../../base/metrics/families.ts";
import type { TryObserver } from "../guard.ts";
import { EJECTED_UNTIL } from "../target-record.ts";
import type { Ejections, EjectionSubject } from "./ejections.ts";
import {
  FAILURES_5XX,
  FAILURES_GATEWAY,
  FAILURES_LOCAL,
  INTERVAL_ANSWERS,
  INTERVAL_FAILED,
  INTERVAL_MS,
  INTERVAL_TRIES,
} from "./outlier-record.ts";
import type { OutlierRules } from "./outlier-rules.ts";

/** Sums of latencies stop short of where an Int32 would turn over. */
const SUM_MAX = 2 ** 30;

export class OutlierWatch implements TryObserver {
  private readonly subject: EjectionSubject;
  private readonly ejections: Ejections;
  private readonly targetCount: number;
  private readonly max5xx: number;
  private readonly maxGateway: number;
  private readonly maxLocal: number;
  private readonly countsTries: boolean;
  private readonly countsLatency: boolean;

  // cold: once per target and snapshot
  constructor(
    subject: EjectionSubject,
    rules: OutlierRules,
    ejections: Ejections,
    targetCount: number,
  ) {
    this.subject = subject;
    this.ejections = ejections;
    this.targetCount = targetCount;
    this.max5xx = rules.consecutive5xx;
    this.maxGateway = rules.consecutiveGateway;
    this.maxLocal = rules.consecutiveLocal;
    this.countsTries = rules.successRate !== null || rules.failures !== null;
    this.countsLatency = rules.slow !== null;
  }

  ended(result: number, status: number, latencyMs: number): void {
    // The client's doing, or the gateway's own: it says nothing of the target.
    if (result === upstreamResult.cancelled) return;
    const { record } = this.subject;
    // What was under way when it was ejected, or came in a panic, is not held against it a second time.
    if (record[EJECTED_UNTIL] !== 0 && this.ejections.settle(this.subject)) return;
    const isLocal = result > upstreamResult.serverError;
    const isFailed = isLocal || status >= 500;
    if (this.countsTries) {
      Atomics.add(record, INTERVAL_TRIES, 1);
      if (isFailed) Atomics.add(record, INTERVAL_FAILED, 1);
    }
    if (this.countsLatency && result !== upstreamResult.connect) this.addLatency(latencyMs);
    if (isFailed) this.count(record, isLocal, status);
    else this.clear(record);
  }

  /**
   * Once is chance. A target that answers nothing between one such try and the next may hang, though no deadline ever
   * tells, because hedges are answered before. Other rules do not count it: its answer was only not waited for.
   */
  overtaken(): void {
    const { record } = this.subject;
    if (record[EJECTED_UNTIL] !== 0 && this.ejections.settle(this.subject)) return;
    if (!this.passes(record, FAILURES_LOCAL, this.maxLocal)) return;
    this.ejections.eject(this.subject, ejectionReason.consecutiveLocal, this.targetCount);
  }

  private count(record: Int32Array, isLocal: boolean, status: number): void {
    const isGateway = isLocal || (status >= 502 && status <= 504);
    let reason = -1;
    if (this.passes(record, FAILURES_5XX, this.max5xx)) reason = ejectionReason.consecutive5xx;
    if (!isGateway) Atomics.store(record, FAILURES_GATEWAY, 0);
    else if (this.passes(record, FAILURES_GATEWAY, this.maxGateway)) {
      reason = ejectionReason.consecutiveGateway;
    }
    if (!isLocal) Atomics.store(record, FAILURES_LOCAL, 0);
    else if (this.passes(record, FAILURES_LOCAL, this.maxLocal)) {
      reason = ejectionReason.consecutiveLocal;
    }
    if (reason >= 0) this.ejections.eject(this.subject, reason, this.targetCount);
  }

  /** Counts one more; true once for each time that there are enough in a row. */
  private passes(record: Int32Array, cell: number, max: number): boolean {
    if (max === 0 || Atomics.add(record, cell, 1) + 1 < max) return false;
    Atomics.store(record, cell, 0);
    return true;
  }

  private clear(record: Int32Array): void {
    if (record[FAILURES_5XX] !== 0) Atomics.store(record, FAILURES_5XX, 0);
    if (record[FAILURES_GATEWAY] !== 0) Atomics.store(record, FAILURES_GATEWAY, 0);
    if (record[FAILURES_LOCAL] !== 0) Atomics.store(record, FAILURES_LOCAL, 0);
  }

  private addLatency(latencyMs: number): void {
    const { record } = this.subject;
    if (record[INTERVAL_MS]! > SUM_MAX) return;
    Atomics.add(record, INTERVAL_ANSWERS, 1);
    Atomics.add(record, INTERVAL_MS, Math.round(latencyMs));
  }
}
