// HOT
import { Deadline } from "../base/deadline-wheel.ts";
import type { DeadlineWheel } from "../base/deadline-wheel.ts";
import { faultTypes } from "../base/faults.ts";
import type { Fault } from "../base/faults.ts";
import type { Log } from "../base/log/log.ts";
import type { Counter, Gauge } from "../base/metrics/metric-view.ts";
import { PRIORITIES } from "../base/priorities.ts";
import type { Random } from "../base/random.ts";
import { refusalsOf } from "../upstream/shedding/refusals.ts";
import type { OverloadConfig } from "./overload-config.ts";

/** What a worker sees of its own state. */
export interface OverloadReadings {
  /** How long events wait now, ms. */
  eventLoopMs(): number;
  /** Used share of the memory that there may be: of the process or of this thread's heap, whichever is fuller. */
  memoryShare(): number;
  /** To be called when nothing is read any more. */
  stop(): void;
}

const LOOKS_EVERY_MS = 100;
/** Memory changes slowly, and reading it costs a system call. */
const LOOKS_PER_MEMORY = 10;
/** Below that share of what is allowed the pressure of the event loop falls; between the two it stays. */
const CALM_SHARE = 0.7;
/** What a look adds at most: from nothing to all in two seconds. */
const RISE_MAX = 0.05;
/** What a calm look takes away: back to nothing in five seconds. */
const FALL = 0.02;
/** Used memory has to fall by that share of everything before its pressure does. */
const MEMORY_SLACK = 0.02;

const BY_EVENT_LOOP = refusalsOf(faultTypes["gateway-overloaded"], "", "event-loop");
const BY_MEMORY = refusalsOf(faultTypes["gateway-overloaded"], "", "memory");

/**
 * Refuses requests where this worker has more to do than it can: a pressure from 0 to 1 rises while its events wait
 * for too long or memory fills up. Each priority has a quarter of it, in which its share refused grows from nothing
 * to all, the lowest first: at 0.5 no `low` or `normal` request is served, and every other one.
 *
 *     0         0.25        0.5        0.75         1
 *     |   low    |  normal   |   high    | critical |
 */
export class Overload extends Deadline {
  /** From 0 to 1. */
  pressure: number;
  private readonly wheel: DeadlineWheel;
  private readonly log: Log;
  private readonly random: Random;
  private readonly makeReadings: () => OverloadReadings;
  private readings: OverloadReadings | null;
  private config: OverloadConfig;
  private counts: OverloadCounts;
  private looks: number;
  private eventLoopPressure: number;
  private memoryPressure: number;
  private memoryUsed: number;
  /** Refused since shedding began; -1 while none is. */
  private refusedCount: number;

  constructor({ wheel, log, random, makeReadings }: OverloadParts) {
    super();
    this.pressure = 0;
    this.wheel = wheel;
    this.log = log;
    this.random = random;
    this.makeReadings = makeReadings;
    this.readings = null;
    this.config = { eventLoopMs: 0, memoryShare: 1 };
    this.counts = NO_COUNTS;
    this.looks = 0;
    this.eventLoopPressure = 0;
    this.memoryPressure = 0;
    this.memoryUsed = 0;
    this.refusedCount = -1;
  }

  /** Another configuration is in force; `false`: nothing is watched any more. */
  follow(config: OverloadConfig | false, counts: OverloadCounts | null): void {
    if (config === false) {
      this.stop();
      return;
    }
    this.counts = counts ?? NO_COUNTS;
    this.config = config;
    if (this.readings === null) {
      this.readings = this.makeReadings();
      this.wheel.set(this, LOOKS_EVERY_MS);
    }
  }

  private stop(): void {
    this.readings?.stop();
    this.readings = null;
    this.wheel.clear(this);
    this.eventLoopPressure = 0;
    this.memoryPressure = 0;
    this.memoryUsed = 0;
    this.settle();
  }

  /** @returns null to serve it. Costs a comparison while there is no pressure. */
  admit(priority: number): Fault | null {
    const over = this.pressure * PRIORITIES.length - priority;
    if (over <= 0 || (over < 1 && this.random.fraction() >= over)) return null;
    return this.refuse(priority);
  }

  // cold: under overload
  private refuse(priority: number): Fault {
    const byMemory = this.memoryPressure > this.eventLoopPressure;
    (byMemory ? this.counts.refusedByMemory : this.counts.refusedByEventLoop).addAt(priority, 1);
    if (this.refusedCount < 0) {
      this.refusedCount = 0;
      const reason = byMemory ? "memory" : "event loop";
      this.log.warn("the gateway is overloaded, requests are refused", {
        reason,
        pressure: rounded(this.pressure),
      });
    }
    this.refusedCount++;
    const refusals = byMemory ? BY_MEMORY : BY_EVENT_LOOP;
    return refusals[this.random.below(refusals.length)]!;
  }

  override onDeadline(): void {
    const { readings } = this;
    if (readings === null) return;
    this.wheel.set(this, LOOKS_EVERY_MS);
    this.watchEventLoop(readings.eventLoopMs());
    if (this.looks++ % LOOKS_PER_MEMORY === 0) this.watchMemory(readings.memoryShare());
    this.settle();
  }

  /** Rises and falls step by step, and so finds the share of requests that the worker can do. */
  private watchEventLoop(waitMs: number): void {
    const { eventLoopMs } = this.config;
    let pressure = this.eventLoopPressure;
    if (eventLoopMs === 0) pressure = 0;
    else if (waitMs > eventLoopMs) pressure += RISE_MAX * Math.min(1, waitMs / eventLoopMs - 1);
    else if (waitMs < eventLoopMs * CALM_SHARE) pressure -= FALL;
    this.eventLoopPressure = pressure < 0 ? 0 : pressure > 1 ? 1 : pressure;
  }

  /** Follows what is used: to go on rising would refuse everything, since freed memory is given back late. */
  private watchMemory(used: number): void {
    const { memoryShare } = this.config;
    if (used > this.memoryUsed || used < this.memoryUsed - MEMORY_SLACK) this.memoryUsed = used;
    const over = this.memoryUsed - memoryShare;
    this.memoryPressure = over <= 0 ? 0 : Math.min(1, over / (1 - memoryShare));
  }

  private settle(): void {
    const { eventLoopPressure, memoryPressure } = this;
    this.pressure = eventLoopPressure > memoryPressure ? eventLoopPressure : memoryPressure;
    this.counts.pressure.set(this.pressure);
    if (this.pressure > 0 || this.refusedCount < 0) return;
    const refused = this.refusedCount;
    this.refusedCount = -1;
    this.log.info("the gateway is not overloaded any more", { refused });
  }
}

function rounded(share: number): number {
  return Math.round(share * 100) / 100;
}

export interface OverloadParts {
  wheel: DeadlineWheel;
  log: Log;
  random: Random;
  makeReadings: () => OverloadReadings;
}

/** The metrics of the revision in force. */
export interface OverloadCounts {
  pressure: Pick<Gauge, "set">;
  /** Refused requests by priority. */
  refusedByEventLoop: Pick<Counter, "addAt">;
  refusedByMemory: Pick<Counter, "addAt">;
}

const NO_COUNTS: OverloadCounts = {
  pressure: { set() {} },
  refusedByEventLoop: { addAt() {} },
  refusedByMemory: { addAt() {} },
};
