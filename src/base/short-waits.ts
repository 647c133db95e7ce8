// HOT
import { Deadline, DeadlineWheel } from "./deadline-wheel.ts";

const TICK_MS = 5;

/** Something that waits more exactly than the wheel of deadlines can tell. */
export abstract class ShortWait extends Deadline {
  /** @internal Where it waits; null while it does not. */
  waits: ShortWaits | null;

  constructor() {
    super();
    this.waits = null;
  }

  /** @internal */
  onDeadline(): void {
    this.waits!.end(this);
    this.onOver();
  }

  abstract onOver(): void;
}

/**
 * Waits that are never over early, and late by a tick of five milliseconds at most in a worker that has time to look.
 * The timer only runs while somebody waits: a worker in which nobody does pays nothing.
 */
export class ShortWaits {
  private readonly wheel: DeadlineWheel;
  private readonly isDriven: boolean;
  private count: number;
  private timer: NodeJS.Timeout | null;

  /** @param clock monotonic milliseconds; whoever gives one calls `advance` when it has moved */
  // cold: once per worker
  constructor(clock?: () => number) {
    this.wheel = new DeadlineWheel(TICK_MS, clock);
    this.isDriven = clock !== undefined;
    this.count = 0;
    this.timer = null;
  }

  /** Calls `onOver` of it after that time, 0 for the next tick, unless it is cleared before. */
  set(wait: ShortWait, afterMs: number): void {
    if (this.count === 0) this.start();
    if (wait.waits === null) this.count++;
    wait.waits = this;
    this.wheel.setExactly(wait, afterMs);
  }

  clear(wait: ShortWait): void {
    if (wait.waits === null) return;
    this.end(wait);
    this.wheel.release(wait);
  }

  /** @internal */
  end(wait: ShortWait): void {
    wait.waits = null;
    this.count--;
  }

  // cold: once for a time in which somebody waits
  private start(): void {
    this.wheel.advance();
    if (!this.isDriven) this.timer ??= setInterval(() => this.advance(), TICK_MS).unref();
  }

  advance(): void {
    if (this.count > 0) this.wheel.advance();
    if (this.count > 0 || this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
  }
}
