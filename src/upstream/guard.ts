// HOT
import type { Fault } from "../base/faults.ts";

/** One try as guards and observers see it. The exchange itself implements it: nothing is made per try. */
export interface Attempt {
  /** Which time of its breaker let the try pass; for that breaker alone to set and to read. */
  breakerTicket: number;
  /** The try counts into its service's adaptive limit; for that limit alone to set and to read. */
  fillsLimit: boolean;
}

/** Learns how tries end. */
export interface TryObserver {
  /**
   * Called once for each try that was admitted, however it ends.
   *
   * @param result a position of `upstreamResult`
   * @param status of the service's answer, 0 where none has come
   * @param latencyMs from sending the request to the head of the answer, or to the failure
   */
  ended(result: number, status: number, latencyMs: number, attempt: Attempt): void;
  /** A hedge to another target was answered first, and nothing has come of the try. `ended` follows. */
  overtaken?(): void;
}

/** Lets tries pass or not, to a service or to one target: breakers, bounds on what is under way. */
export interface Guard extends TryObserver {
  /**
   * @param priority of the route's requests; higher ones are let pass longer.
   * @returns null to let it pass, else what the client is told where nothing else has failed before
   */
  admit(priority: number, attempt: Attempt): Fault | null;
  /** Whether it would refuse a try now. For choosing among targets: free to ask, and nothing is decided by it. */
  refuses?(): boolean;
  /** The head of the answer has come; its body may take hours. Parameters as of `ended`, which follows. */
  answered?(status: number, latencyMs: number, attempt: Attempt): void;
}
