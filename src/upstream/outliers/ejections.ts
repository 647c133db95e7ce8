// HOT
/**
 * Takes targets of one service out of rotation and knows when they are back. Every thread has one over the same
 * records; what they do together is exact:
 *
 *     EJECTED_UNTIL   0 --eject (one wins)--> tick --time passes--> tick in the past --settle (one wins)--> 0
 *     SERVICE_EJECTED   +1, if there is room                                               -1
 *
 * So an ejection ends by time, with nobody's help, and the one thread that writes its end down tells of it. A
 * thread that is killed between two of these steps leaves a place taken; `recount` gives it back.
 */
import { TICK_MS, ticksOf } from "../../base/shared-clock.ts";
import type { SharedClock } from "../../base/shared-clock.ts";
import { EJECTED_UNTIL, RETURNED_AT, SERVICE_EJECTED } from "../target-record.ts";
import {
  EJECTED_AT,
  EJECTED_FOR,
  EJECTIONS,
  FAILURES_5XX,
  FAILURES_GATEWAY,
  FAILURES_LOCAL,
} from "./outlier-record.ts";
import type { OutlierRules } from "./outlier-rules.ts";

/** What is told of, each time by one thread only. */
export interface EjectionEvents {
  /** @param reason a position of `ejectionReason`. */
  ejected(subject: EjectionSubject, reason: number, forMs: number): void;
  returned(subject: EjectionSubject, reason: number, afterMs: number): void;
}

/** A target as far as ejections go. */
export interface EjectionSubject {
  /** As configured. */
  readonly url: string;
  /** Where it really is. */
  readonly key: string;
  readonly record: Int32Array;
}

export class Ejections {
  private readonly serviceRecord: Int32Array;
  private readonly clock: SharedClock;
  private readonly events: EjectionEvents;
  private readonly baseTicks: number;
  private readonly maxTicks: number;
  private readonly maxEjected: number;
  /** The count was above what could be found when it was last looked at. */
  private wasAbove: boolean;

  // cold: once per service and snapshot
  constructor(
    rules: Pick<OutlierRules, "baseMs" | "maxMs" | "maxEjected">,
    serviceRecord: Int32Array,
    clock: SharedClock,
    events: EjectionEvents,
  ) {
    this.serviceRecord = serviceRecord;
    this.clock = clock;
    this.events = events;
    this.baseTicks = ticksOf(rules.baseMs);
    this.maxTicks = ticksOf(rules.maxMs);
    this.maxEjected = rules.maxEjected;
    this.wasAbove = false;
  }

  /**
   * Ejects a target, unless it is ejected already or enough others are.
   *
   * @param count of the service's targets
   */
  eject(subject: EjectionSubject, reason: number, count: number): boolean {
    const { record } = subject;
    if (Atomics.load(record, EJECTED_UNTIL) !== 0 || !this.takePlace(count)) return false;
    const now = this.clock.tick;
    const longer = this.baseTicks * (Atomics.load(record, EJECTIONS) + 1);
    const ticks = longer < this.maxTicks ? longer : this.maxTicks;
    if (Atomics.compareExchange(record, EJECTED_UNTIL, 0, now + ticks) !== 0) {
      Atomics.sub(this.serviceRecord, SERVICE_EJECTED, 1);
      return false;
    }
    // Each further one would be no longer.
    if (longer < this.maxTicks) Atomics.add(record, EJECTIONS, 1);
    Atomics.store(record, EJECTED_AT, now);
    Atomics.store(record, EJECTED_FOR, reason);
    this.events.ejected(subject, reason, ticks * TICK_MS);
    return true;
  }

  /** Writes down that an ejection is over if it is. @returns whether the target is ejected still. */
  settle(subject: EjectionSubject): boolean {
    const { record } = subject;
    const until = Atomics.load(record, EJECTED_UNTIL);
    if (until === 0) return false;
    if (until > this.clock.tick) return true;
    const since = Atomics.load(record, EJECTED_AT);
    const reason = Atomics.load(record, EJECTED_FOR);
    Atomics.store(record, FAILURES_5XX, 0);
    Atomics.store(record, FAILURES_GATEWAY, 0);
    Atomics.store(record, FAILURES_LOCAL, 0);
    Atomics.store(record, RETURNED_AT, until);
    if (Atomics.compareExchange(record, EJECTED_UNTIL, until, 0) !== until) return false;
    Atomics.sub(this.serviceRecord, SERVICE_EJECTED, 1);
    this.events.returned(subject, reason, (until - since) * TICK_MS);
    return false;
  }

  /** Ends an ejection now, of which is told as of any other end. */
  end(subject: EjectionSubject): void {
    const { record } = subject;
    const until = Atomics.load(record, EJECTED_UNTIL);
    const now = this.clock.tick;
    if (until <= now) return;
    Atomics.compareExchange(record, EJECTED_UNTIL, until, now > 0 ? now : 1);
    this.settle(subject);
  }

  /** Ends an ejection before its time, without a word: nobody looks for outliers any more. */
  release({ record }: EjectionSubject): void {
    const until = Atomics.load(record, EJECTED_UNTIL);
    if (until === 0 || Atomics.compareExchange(record, EJECTED_UNTIL, until, 0) !== until) return;
    Atomics.sub(this.serviceRecord, SERVICE_EJECTED, 1);
  }

  /**
   * Gives back places of targets that are gone, and of threads that were killed: what two looks in a row cannot
   * find. For one thread alone.
   *
   * @param found targets that are ejected now.
   */
  recount(found: number): void {
    const taken = Atomics.load(this.serviceRecord, SERVICE_EJECTED);
    const isAbove = taken > found;
    if (isAbove && this.wasAbove) {
      Atomics.compareExchange(this.serviceRecord, SERVICE_EJECTED, taken, found);
    }
    this.wasAbove = isAbove;
  }

  private takePlace(count: number): boolean {
    const share = Math.floor(count * this.maxEjected);
    const most = share > 1 ? share : 1;
    for (;;) {
      const taken = Atomics.load(this.serviceRecord, SERVICE_EJECTED);
      if (taken >= most) return false;
      const before = Atomics.compareExchange(this.serviceRecord, SERVICE_EJECTED, taken, taken + 1);
      if (before === taken) return true;
    }
  }
}
