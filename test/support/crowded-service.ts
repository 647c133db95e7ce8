import { upstreamResult } from "../../src/base/metrics/families.ts";
import { Random } from "../../src/base/random.ts";
import type { Attempt, Guard } from "../../src/upstream/guard.ts";
import { newAttempt } from "./new-attempt.ts";

/** A try on its way through the service. */
interface Job {
  startedAtMs: number;
  endsAtMs: number;
  priority: number;
  guard: Guard;
  attempt: Attempt;
}

export interface Crowd {
  /** Requests a second, at that time. */
  rate: (atMs: number) => number;
  /** Chances of the priorities from low to critical; they add up to 1. */
  mix?: readonly number[];
  forMs: number;
}

/** What a service did for a crowd, by priority. */
export interface CrowdResult {
  offered: number[];
  served: number[];
  /** Median latency in the service, ms. */
  medianMs: number;
  /** Most that was in flight at the end of each second. */
  inFlightBySecond: number[];
}

/**
 * A service that works on so many requests at once, each for the same time but for chance; the others wait in line.
 * Time is simulated: nothing here is asynchronous.
 */
export class CrowdedService {
  capacity: number;
  workMs: number;
  nowMs = 0;
  /** Also what guards have by way of a clock. */
  readonly clock: { tick: number } = { tick: 0 };
  /** Called at every new tick. */
  onTick: () => void = () => {};
  private readonly random: Random;
  private readonly running: Job[] = [];
  private readonly line: Job[] = [];

  constructor(capacity: number, workMs: number, seed: number) {
    this.capacity = capacity;
    this.workMs = workMs;
    this.random = new Random(seed);
  }

  get inFlight(): number {
    return this.running.length + this.line.length;
  }

  /** @param guards one for each worker; requests go to them by turns. */
  serve(guards: readonly Guard[], { rate, mix = [0, 1], forMs }: Crowd): CrowdResult {
    const offered = [0, 0, 0, 0];
    const served = [0, 0, 0, 0];
    const latencies: number[] = [];
    const inFlightBySecond: number[] = [];
    const until = this.nowMs + forMs;
    let arrivesAtMs = this.nowMs;
    let turn = 0;
    while (this.nowMs < until) {
      const ending = this.nextEnd();
      const endsAtMs = ending === undefined ? Infinity : ending.endsAtMs;
      const nextTickMs = (this.clock.tick + 1) * 100;
      const at = Math.min(endsAtMs, arrivesAtMs, nextTickMs);
      this.nowMs = at;
      if (at === nextTickMs) {
        this.clock.tick++;
        if (this.clock.tick % 10 === 0) inFlightBySecond.push(this.inFlight);
        this.onTick();
      } else if (at === endsAtMs) {
        this.running.splice(this.running.indexOf(ending!), 1);
        const latencyMs = at - ending!.startedAtMs;
        ending!.guard.answered?.(200, latencyMs, ending!.attempt);
        ending!.guard.ended(upstreamResult.ok, 200, latencyMs, ending!.attempt);
        served[ending!.priority]!++;
        latencies.push(latencyMs);
        while (this.line.length > 0 && this.running.length < this.capacity) {
          this.start(this.line.shift()!);
        }
      } else {
        arrivesAtMs = at - (Math.log(1 - this.random.fraction()) * 1000) / rate(at);
        const priority = this.choosePriority(mix);
        const guard = guards[turn++ % guards.length]!;
        offered[priority]!++;
        const attempt = newAttempt();
        if (guard.admit(priority, attempt) !== null) continue;
        const job = { startedAtMs: at, endsAtMs: 0, priority, guard, attempt };
        if (this.running.length < this.capacity) this.start(job);
        else this.line.push(job);
      }
    }
    latencies.sort((a, b) => a - b);
    const medianMs = latencies[latencies.length >> 1] ?? 0;
    return { offered, served, medianMs, inFlightBySecond };
  }

  private start(job: Job): void {
    job.endsAtMs = this.nowMs + this.workMs * (0.8 + 0.4 * this.random.fraction());
    this.running.push(job);
  }

  private nextEnd(): Job | undefined {
    let next: Job | undefined;
    for (const job of this.running)
      if (next === undefined || job.endsAtMs < next.endsAtMs) next = job;
    return next;
  }

  private choosePriority(mix: readonly number[]): number {
    let chance = this.random.fraction();
    for (const [priority, share] of mix.entries()) {
      chance -= share;
      if (chance < 0) return priority;
    }
    return mix.length - 1;
  }
}
