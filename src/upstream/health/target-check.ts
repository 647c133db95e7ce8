import type { Random } from "../../base/random.ts";
import { HEALTH_DOWN } from "../target-record.ts";
import type { CheckTurns } from "./check-turns.ts";
import type { HealthClock } from "./health-clock.ts";
import { failed, type Probe, type ProbeOutcome } from "./probe.ts";
import type { TargetHealth } from "./target-health.ts";

/** When a target is checked. */
export interface CheckTimes {
  readonly intervalMs: number;
  /** Between checks of a target that is down. */
  readonly unhealthyIntervalMs: number;
  /** At most the intervals. */
  readonly timeoutMs: number;
  /** By what share, at most, an interval is shortened at random: 0 to 1. */
  readonly jitter: number;
}

export interface TargetCheckSettings {
  times: CheckTimes;
  health: TargetHealth;
  probe: Probe;
  turns: CheckTurns;
  clock: HealthClock;
  random: Random;
  /** Told of every check. */
  onOutcome(outcome: ProbeOutcome, hasChanged: boolean): void;
}

/**
 * Checks one target again and again, from one beginning to the next an interval apart. The second check comes after a
 * random part of it, so that targets that became known together are not checked together for ever.
 */
export class TargetCheck {
  private readonly settings: TargetCheckSettings;
  private readonly run = (): void => this.probe();
  private cancelTimer: () => void = () => {};
  private cancelProbe: () => void = () => {};
  private isUnderWay = false;
  private isFirst = true;
  private startedMs = 0;

  constructor(settings: TargetCheckSettings) {
    this.settings = settings;
  }

  start(): void {
    const { clock, turns } = this.settings;
    this.startedMs = clock.nowMs;
    this.isUnderWay = true;
    turns.enter(this.run);
  }

  stop(): void {
    this.cancelTimer();
    this.cancelProbe();
    if (this.isUnderWay) this.settings.turns.leave(this.run);
    this.isUnderWay = false;
  }

  private probe(): void {
    const { probe, clock, times } = this.settings;
    this.cancelProbe = probe((outcome) => this.end(outcome));
    this.cancelTimer = clock.after(times.timeoutMs, () => {
      this.cancelProbe();
      this.end(failed("timeout", `no answer within ${times.timeoutMs} ms`));
    });
  }

  private end(outcome: ProbeOutcome): void {
    const { turns, health, clock, onOutcome } = this.settings;
    this.cancelTimer();
    this.cancelProbe = () => {};
    this.isUnderWay = false;
    turns.leave(this.run);
    onOutcome(outcome, health.report(outcome.result === 0));
    const restMs = this.startedMs + this.intervalMs() - clock.nowMs;
    this.cancelTimer = clock.after(Math.max(0, restMs), () => this.start());
  }

  private intervalMs(): number {
    const { times, health, random } = this.settings;
    const { intervalMs, unhealthyIntervalMs, jitter } = times;
    const wholeMs = health.state === HEALTH_DOWN ? unhealthyIntervalMs : intervalMs;
    const part = this.isFirst ? 1 : jitter;
    this.isFirst = false;
    return wholeMs * (1 - part * random.fraction());
  }
}
