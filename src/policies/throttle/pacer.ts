import type { Clock, PolicyEnvironment } from "../../policy/environment.ts";
import { createVerdict, TOKEN_BUCKET } from "../../policy/limit-tables.ts";
import type { LimitRule, LimitTable, LimitVerdict } from "../../policy/limit-tables.ts";

/** As the policy's options have them; times in milliseconds. */
interface Pace {
  readonly rate: number;
  readonly per: number;
  readonly burst: number;
  readonly maxDelay: number;
  readonly maxQueue: number;
}

/**
 * Gives requests their time, the same for all workers: a bucket that holds the burst and whoever may wait.
 * What is in it beyond the burst has to flow out before the request that came last may go on.
 *
 *     | burst: goes on at once | waiting: one interval each | refused
 *     0                        burst                        burst + queue
 */
export class Pacer {
  /** Of the last reservation: time to wait; 0 to go on at once. */
  delayMs: number;
  /** Of the last refusal: time until there is room. */
  retryMs: number;
  private readonly table: LimitTable;
  private readonly clock: Clock;
  private readonly rule: LimitRule;
  private readonly verdict: LimitVerdict;
  /** Time in which a whole burst flows out. */
  private readonly burstMs: number;

  constructor(
    { rate, per, burst, maxDelay, maxQueue }: Pace,
    { id, limits, clock }: Pick<PolicyEnvironment, "id" | "limits" | "clock">,
  ) {
    const queue = Math.min(maxQueue, (maxDelay * rate) / per);
    this.rule = {
      id,
      algorithm: TOKEN_BUCKET,
      limit: burst + queue,
      windowMs: per,
      refill: rate,
    };
    this.burstMs = (burst * per) / rate;
    this.table = limits;
    this.clock = clock;
    this.verdict = createVerdict();
    this.delayMs = 0;
    this.retryMs = 0;
  }

  /** Gives the next request of the key its time, unless too many wait already. */
  reserve(key: string): boolean {
    const { verdict } = this;
    this.table.take(this.rule, key, 1, this.clock.now(), verdict);
    // A part of a millisecond is less than a timer can tell.
    this.delayMs = Math.max(0, Math.round(verdict.resetMs - this.burstMs));
    this.retryMs = verdict.retryMs;
    return verdict.allowed;
  }

  /** A request that waited goes on no more. */
  giveBack(key: string): void {
    this.table.refund(this.rule, key, 1, this.clock.now());
  }
}
