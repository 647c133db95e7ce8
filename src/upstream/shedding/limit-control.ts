// HOT
import type { Random } from "../../base/random.ts";
import { TICK_MS, ticksOf } from "../../base/shared-clock.ts";
import type { ConcurrencyConfig } from "./concurrency-config.ts";
import {
  COUNT,
  COUNT_FROM,
  COUNTS_NONE,
  EXACT_LIMIT,
  LIMIT,
  MEASURE_AT,
  MEASURE_ENDS_AT,
  MIN_RTT_MS,
  PEAK,
  SUM,
  WINDOW_ENDS_AT,
} from "./concurrency-record.ts";
import type { ConcurrencyRecord } from "./concurrency-record.ts";
import { nextLimit } from "./next-limit.ts";

/** Fewer latencies than that say nothing; a window then goes on. */
const WINDOW_COUNT_MIN = 20;
/** A new limit shows in latencies once those before it have left. */
const SETTLING_LATENCIES = 2;
/** With that share of the limit in flight the latency counts as that without load. */
const UNLOADED_SHARE = 0.25;
/** What is in flight for long (requests that wait for news) may keep a measurement from beginning: it is given up then. */
const MEASURE_MS_MAX = 10_000;
/** After a measurement that found less than was believed the next comes so much sooner. */
const SOONER = 12;

/**
 * Moves the limit of a service, on behalf of all workers: whoever has the record's lock runs it. Nothing happens
 * but when requests end or are refused, so there is no timer.
 *
 *     gathering --- window over: next limit ---> gathering
 *         |                                         ^
 *         | time to measure                         | enough latencies, or too late
 *         v                                         |
 *     emptying: little is admitted --- little in flight: --> measuring
 */
export class LimitControl {
  readonly config: ConcurrencyConfig;
  readonly windowTicks: number;
  private readonly random: Random;
  private readonly everyTicks: number;

  constructor(config: ConcurrencyConfig, random: Random) {
    this.config = config;
    this.windowTicks = ticksOf(config.windowMs);
    this.everyTicks = ticksOf(config.baseline.everyMs);
    this.random = random;
  }

  /** Whoever comes first says what it all begins with. */
  begin({ cells, floats }: ConcurrencyRecord, tick: number): void {
    floats[EXACT_LIMIT] = this.config.start;
    floats[WINDOW_ENDS_AT] = tick + this.windowTicks;
    floats[MEASURE_AT] = Number.MAX_SAFE_INTEGER;
    Atomics.store(cells, LIMIT, this.config.start);
  }

  /** Takes a worker's share of the window, and closes the window where it is over. */
  merge(record: ConcurrencyRecord, tick: number, share: WindowShare): void {
    const { floats } = record;
    floats[SUM]! += share.count * share.latencyMs;
    floats[COUNT]! += share.count;
    if (share.peak > floats[PEAK]!) floats[PEAK] = share.peak;
    const from = record.cells[COUNT_FROM]!;
    if (from === COUNTS_NONE) this.beginCounting(record, tick);
    else if (from > 0) this.measure(record, tick);
    else if (tick >= floats[WINDOW_ENDS_AT]!) this.closeWindow(record, tick);
  }

  private closeWindow(record: ConcurrencyRecord, tick: number): void {
    const { floats } = record;
    const count = floats[COUNT]!;
    if (count >= WINDOW_COUNT_MIN) {
      const limit = floats[EXACT_LIMIT]!;
      const sampleMs = floats[SUM]! / count;
      const peak = floats[PEAK]!;
      this.learn(floats, tick, sampleMs);
      const minRttMs = floats[MIN_RTT_MS]!;
      this.set(record, nextLimit({ limit, minRttMs, sampleMs, peak }, this.config.buffer));
      this.startWindow(floats, tick);
      // What is in flight still shows the limit before: to go on would be to swing.
      const settledAt = tick + (SETTLING_LATENCIES * sampleMs) / TICK_MS;
      if (settledAt > floats[WINDOW_ENDS_AT]!) floats[WINDOW_ENDS_AT] = settledAt;
    }
    if (tick >= floats[MEASURE_AT]!) this.startMeasuring(record, tick);
  }

  /** What the windows tell of the latency without load, for nothing. */
  private learn(floats: Float64Array, tick: number, sampleMs: number): void {
    const known = floats[MIN_RTT_MS]!;
    if (known === 0) {
      // Perhaps under load: to be measured soon.
      floats[MIN_RTT_MS] = sampleMs;
      floats[MEASURE_AT] = tick + this.everyTicks / SOONER;
    } else if (floats[PEAK]! <= this.unloaded(floats[EXACT_LIMIT]!)) {
      const weight = Math.min(1, floats[COUNT]! / this.config.baseline.requests);
      floats[MIN_RTT_MS] = known + (sampleMs - known) * weight;
      this.plan(floats, tick, this.everyTicks);
    }
  }

  private startMeasuring({ cells, floats }: ConcurrencyRecord, tick: number): void {
    Atomics.store(cells, LIMIT, Math.floor(this.unloaded(floats[EXACT_LIMIT]!)));
    Atomics.store(cells, COUNT_FROM, COUNTS_NONE);
    floats[MEASURE_ENDS_AT] = tick + MEASURE_MS_MAX / TICK_MS;
  }

  /** What has been sent before, and what it has kept waiting, is not without load. */
  private beginCounting(record: ConcurrencyRecord, tick: number): void {
    const { cells, floats } = record;
    this.startWindow(floats, tick);
    if (record.inFlight <= cells[LIMIT]!) Atomics.store(cells, COUNT_FROM, tick + 1);
    else if (tick >= floats[MEASURE_ENDS_AT]!) this.endMeasuring(record, tick, this.everyTicks);
  }

  private measure(record: ConcurrencyRecord, tick: number): void {
    const { floats } = record;
    const count = floats[COUNT]!;
    const isLate = tick >= floats[MEASURE_ENDS_AT]!;
    if (count < this.config.baseline.requests && !isLate) return;
    const before = floats[MIN_RTT_MS]!;
    let isNews = false;
    if (count >= Math.min(WINDOW_COUNT_MIN, this.config.baseline.requests)) {
      const found = floats[SUM]! / count;
      floats[MIN_RTT_MS] = found;
      isNews = found * (1 + this.config.buffer) < before;
    }
    this.endMeasuring(record, tick, isNews ? this.everyTicks / SOONER : this.everyTicks);
  }

  private endMeasuring(record: ConcurrencyRecord, tick: number, waitTicks: number): void {
    const { cells, floats } = record;
    Atomics.store(cells, COUNT_FROM, 0);
    this.plan(floats, tick, waitTicks);
    this.set(record, floats[EXACT_LIMIT]!);
    this.startWindow(floats, tick);
  }

  private plan(floats: Float64Array, tick: number, waitTicks: number): void {
    const { jitter } = this.config.baseline;
    floats[MEASURE_AT] = tick + waitTicks * (1 + jitter * this.random.fraction());
  }

  private startWindow(floats: Float64Array, tick: number): void {
    floats[SUM] = 0;
    floats[COUNT] = 0;
    floats[PEAK] = 0;
    floats[WINDOW_ENDS_AT] = tick + this.windowTicks;
  }

  private unloaded(limit: number): number {
    return Math.max(this.config.min, limit * UNLOADED_SHARE);
  }

  private set({ cells, floats }: ConcurrencyRecord, wanted: number): void {
    const { min, max } = this.config;
    const limit = wanted < min ? min : wanted > max ? max : wanted;
    floats[EXACT_LIMIT] = limit;
    Atomics.store(cells, LIMIT, Math.floor(limit));
  }
}

/** What one worker has seen since it last told. */
export interface WindowShare {
  count: number;
  /** The percentile of its own latencies. */
  latencyMs: number;
  /** Most requests in flight, of all workers. */
  peak: number;
}
