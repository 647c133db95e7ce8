// HOT
import { upstreamResult } from "../../base/metrics/families.ts";

/** When a breaker opens, for how long, and what makes it close. Times in ticks of the shared clock. */
export interface BreakerSettings {
  /** Opens at this share of failed tries, above 0; Infinity: never for that. */
  readonly errorShare: number;
  /** Slow is what took longer to the head of its answer, or to its failure. */
  readonly slowMs: number;
  /** Opens at this share of slow tries, above 0; Infinity: never for that. */
  readonly slowShare: number;
  readonly windowTicks: number;
  /** Fewer tries in the window tell nothing. */
  readonly requestsMin: number;
  /** The first opening. It doubles while openings follow one another. */
  readonly openTicks: number;
  readonly openTicksMax: number;
  /** From 1 to `TRIALS_MAX`. */
  readonly trials: number;
  /**
   * A trial that has not ended by then makes room for another: its client sends slowly, or its worker has died. No
   * service is to blame, as deadlines judge what that takes.
   */
  readonly trialTicks: number;
  readonly failures: FailureKinds;
}

/** What of a target's doing is a failure. That a client left never is. */
export class FailureKinds {
  private readonly byStatus: Uint8Array;
  private readonly byResult: Uint8Array;

  /** @param results positions of `upstreamResult` beside the two of answers */
  constructor(statuses: Iterable<number>, results: Iterable<number>) {
    this.byStatus = new Uint8Array(600);
    this.byResult = new Uint8Array(8);
    for (const status of statuses) this.byStatus[status] = 1;
    for (const result of results) this.byResult[result] = 1;
    this.byResult[upstreamResult.cancelled] = 0;
  }

  has(result: number, status: number): boolean {
    if (result <= upstreamResult.serverError) return this.byStatus[status] === 1;
    return this.byResult[result] === 1;
  }
}
