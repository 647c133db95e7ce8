// HOT
/**
 * A circuit breaker that all workers share: it stops asking what mostly fails or is mostly slow, and after a
 * while finds out by a few trials whether that is over.
 *
 *                  share of failed or slow tries
 *        CLOSED ---------------------------------> OPEN <------------+
 *           ^                                       | time is over   | as many bad trials
 *           |  all trials are in, few were bad      v                |
 *           +---------------------------------- HALF OPEN -----------+
 *
 * There is no timer: time is looked at when a request comes. Whoever wins the compare-and-exchange of the word
 * (`breaker-cells.ts`) tells of the change, so each is told once. A try costs a load of it, and at its end one
 * more and the counts.
 */
import type { Fault } from "../../base/faults.ts";
import { faultTypes } from "../../base/faults.ts";
import { upstreamResult } from "../../base/metrics/families.ts";
import type { Random } from "../../base/random.ts";
import { RetryFaults } from "../../base/retry-faults.ts";
import { type SharedClock, TICK_MS } from "../../base/shared-clock.ts";
import type { Attempt, Guard } from "../guard.ts";
import {
  BAD_ONE,
  badOf,
  CHANGED_AT,
  CLOSED,
  COUNTS,
  ENDED,
  FORCED,
  FORCED_CLOSED,
  FORCED_OPEN,
  HALF_OPEN,
  MODE,
  nextPeriod,
  OPEN,
  OPEN_TICKS,
  OPEN_UNTIL,
  OPENINGS,
  outOf,
  OUT_ONE,
  PASSED_ONE,
  passedOf,
  periodOf,
  raise,
  TRIALS_UNTIL,
  WORD,
} from "./breaker-cells.ts";
import type { BreakerSettings } from "./breaker-settings.ts";
import { SlidingCounts } from "./sliding-counts.ts";

/** Openings are up to a tenth shorter or longer, so that breakers that opened together try apart. */
const JITTER = 0.1;
const DOUBLINGS_MAX = 20;
/** All trials are out, and the next answer may change everything. */
const SOON_MS = 1000;
/** Of a try that has been judged. */
const NO_TICKET = -1;

const refusals = new RetryFaults(faultTypes["breaker-open"]);

/** How a breaker changed its mode, and why. */
export interface BreakerChange {
  /** One of the modes in `breaker-cells.ts`. */
  readonly mode: number;
  readonly reason: "errors" | "slow" | "trials" | "time";
  /** What was counted: tries of the window, or trials. */
  readonly total: number;
  readonly failed: number;
  readonly slow: number;
  /** How long it is open now, 0 unless it is. */
  readonly openMs: number;
}

const TIME_IS_OVER: BreakerChange = {
  mode: HALF_OPEN,
  reason: "time",
  total: 0,
  failed: 0,
  slow: 0,
  openMs: 0,
};

export interface BreakerParts {
  /** 48, of a shared record. */
  readonly cells: Int32Array;
  readonly settings: BreakerSettings;
  readonly clock: SharedClock;
  readonly random: Random;
  readonly listener: BreakerListener;
}

export interface BreakerListener {
  /** Called in one thread for each change. */
  changed(change: BreakerChange): void;
  refused(): void;
}

export class CircuitBreaker implements Guard {
  private readonly cells: Int32Array;
  private readonly settings: BreakerSettings;
  private readonly clock: SharedClock;
  private readonly random: Random;
  private readonly listener: BreakerListener;
  private readonly counts: SlidingCounts;
  /** So many bad trials open it again. */
  private readonly badMax: number;

  constructor({ cells, settings, clock, random, listener }: BreakerParts) {
    this.cells = cells;
    this.settings = settings;
    this.clock = clock;
    this.random = random;
    this.listener = listener;
    this.counts = new SlidingCounts(cells, COUNTS, settings.windowTicks);
    const share = Math.min(settings.errorShare, settings.slowShare);
    this.badMax = Math.max(1, Math.ceil(share * settings.trials));
  }

  admit(_priority: number, attempt: Attempt): Fault | null {
    const word = Atomics.load(this.cells, WORD);
    if ((word & (MODE | FORCED)) !== CLOSED) return this.admitTrial(word, attempt);
    attempt.breakerTicket = periodOf(word);
    return null;
  }

  /** Whether it would refuse: free to ask, and nothing is decided by it. */
  refuses(): boolean {
    const word = this.cells[WORD]!;
    if ((word & (MODE | FORCED)) === CLOSED || (word & FORCED) === FORCED_CLOSED) return false;
    return (word & FORCED) === FORCED_OPEN || this.withTrial(word, this.clock.tick) === word;
  }

  answered(status: number, latencyMs: number, attempt: Attempt): void {
    // The window is told at the end: an answer may break off.
    if ((Atomics.load(this.cells, WORD) & MODE) !== HALF_OPEN) return;
    this.judge(upstreamResult.ok, status, latencyMs, attempt);
  }

  ended(result: number, status: number, latencyMs: number, attempt: Attempt): void {
    const word = Atomics.load(this.cells, WORD);
    if ((word & MODE) === HALF_OPEN) {
      this.judge(result, status, latencyMs, attempt);
      return;
    }
    const { breakerTicket } = attempt;
    attempt.breakerTicket = NO_TICKET;
    if ((word & (MODE | FORCED)) !== CLOSED || breakerTicket !== periodOf(word)) return;
    if (result === upstreamResult.cancelled) return;
    const { settings, counts } = this;
    const { tick } = this.clock;
    const failed = settings.failures.has(result, status);
    const slow = latencyMs > settings.slowMs;
    counts.add(tick, failed, slow);
    // What is good never makes a share rise.
    if (failed || slow) this.openIfBad(word, tick);
  }

  private openIfBad(word: number, tick: number): void {
    const { counts, settings } = this;
    counts.read(tick);
    const { total, failed, slow } = counts;
    if (total < settings.requestsMin) return;
    const byErrors = failed >= settings.errorShare * total;
    if (!byErrors && slow < settings.slowShare * total) return;
    const openTicks = this.nextOpenTicks(word, tick);
    if (!this.open(word, tick, openTicks)) return;
    const reason = byErrors ? "errors" : "slow";
    this.listener.changed({ mode: OPEN, reason, total, failed, slow, openMs: openTicks * TICK_MS });
  }

  /** Anything but a breaker that is closed of itself. */
  private admitTrial(word: number, attempt: Attempt): Fault | null {
    for (;;) {
      if ((word & FORCED) === FORCED_CLOSED) break;
      const { tick } = this.clock;
      if ((word & (MODE | FORCED)) === CLOSED) break;
      const next = (word & FORCED) === FORCED_OPEN ? word : this.withTrial(word, tick);
      if (next === word) return this.refuse(word, tick);
      // First: what others read with the new word must hold.
      raise(this.cells, TRIALS_UNTIL, tick + this.settings.trialTicks);
      if (this.exchange(word, next)) {
        if ((word & MODE) === OPEN) this.tellHalfOpen(tick);
        word = next;
        break;
      }
      word = Atomics.load(this.cells, WORD);
    }
    attempt.breakerTicket = periodOf(word);
    return null;
  }

  /** The word with one more trial out; the same where none is free. */
  private withTrial(word: number, tick: number): number {
    const { cells, settings } = this;
    if ((word & MODE) === OPEN) {
      if (tick < Atomics.load(cells, OPEN_UNTIL)) return word;
      return nextPeriod(word, HALF_OPEN | OUT_ONE);
    }
    const out = outOf(word);
    if (out + passedOf(word) + badOf(word) < settings.trials) return word + OUT_ONE;
    if (out === 0 || tick < Atomics.load(cells, TRIALS_UNTIL)) return word;
    // Others take their places. What they come to is not heard any more, so it is a new period.
    return nextPeriod(word, HALF_OPEN | (word & ENDED) | OUT_ONE);
  }

  /** Of a try that ends, or whose answer has come, while the breaker is half open. */
  private judge(result: number, status: number, latencyMs: number, attempt: Attempt): void {
    const { settings } = this;
    const { breakerTicket } = attempt;
    attempt.breakerTicket = NO_TICKET;
    const { tick } = this.clock;
    const isCancelled = result === upstreamResult.cancelled;
    const isBad = settings.failures.has(result, status) || latencyMs > settings.slowMs;
    for (;;) {
      const word = Atomics.load(this.cells, WORD);
      if ((word & (MODE | FORCED)) !== HALF_OPEN || periodOf(word) !== breakerTicket) return;
      const next = word - OUT_ONE + (isCancelled ? 0 : isBad ? BAD_ONE : PASSED_ONE);
      if (this.decide(word, next, tick)) return;
    }
  }

  /** Takes what trials have shown over, and what follows from it. @returns false where another was quicker */
  private decide(word: number, next: number, tick: number): boolean {
    const failed = badOf(next);
    const total = failed + passedOf(next);
    if (failed < this.badMax && total < this.settings.trials) return this.exchange(word, next);
    const openTicks = failed < this.badMax ? 0 : this.nextOpenTicks(word, tick);
    const mode = openTicks === 0 ? CLOSED : OPEN;
    const isFirst = mode === OPEN ? this.open(word, tick, openTicks) : this.close(word, tick);
    if (!isFirst) return false;
    const openMs = openTicks * TICK_MS;
    this.listener.changed({ mode, reason: "trials", total, failed, slow: 0, openMs });
    return true;
  }

  private open(word: number, tick: number, openTicks: number): boolean {
    const { cells } = this;
    const openings = this.openingsBefore(word, tick) + 1;
    raise(cells, OPEN_UNTIL, tick + openTicks);
    if (!this.exchange(word, nextPeriod(word, OPEN))) return false;
    Atomics.store(cells, OPENINGS, openings);
    Atomics.store(cells, OPEN_TICKS, openTicks);
    Atomics.store(cells, CHANGED_AT, tick);
    return true;
  }

  /** Closed for as long as it was open before, it has recovered. */
  private openingsBefore(word: number, tick: number): number {
    const { cells } = this;
    const changedAt = Atomics.load(cells, CHANGED_AT);
    if ((word & MODE) === CLOSED && tick - changedAt >= Atomics.load(cells, OPEN_TICKS)) return 0;
    return Atomics.load(cells, OPENINGS);
  }

  private nextOpenTicks(word: number, tick: number): number {
    const { openTicks, openTicksMax } = this.settings;
    const doublings = Math.min(this.openingsBefore(word, tick), DOUBLINGS_MAX);
    const jittered =
      openTicks * 2 ** doublings * (1 - JITTER + 2 * JITTER * this.random.fraction());
    return Math.min(openTicksMax, Math.max(1, Math.round(jittered)));
  }

  private close(word: number, tick: number): boolean {
    // What was counted before it opened is no news. Nobody counts until it is closed.
    this.counts.clear();
    if (!this.exchange(word, nextPeriod(word, CLOSED))) return false;
    Atomics.store(this.cells, CHANGED_AT, tick);
    return true;
  }

  private tellHalfOpen(tick: number): void {
    Atomics.store(this.cells, CHANGED_AT, tick);
    this.listener.changed(TIME_IS_OVER);
  }

  private refuse(word: number, tick: number): Fault {
    this.listener.refused();
    if ((word & MODE) !== OPEN) return refusals.after(SOON_MS);
    if ((word & FORCED) === FORCED_OPEN) return refusals.after(this.settings.openTicks * TICK_MS);
    return refusals.after((Atomics.load(this.cells, OPEN_UNTIL) - tick) * TICK_MS);
  }

  private exchange(word: number, next: number): boolean {
    return Atomics.compareExchange(this.cells, WORD, word, next) === word;
  }
}
