// HOT
import type { Fault } from "../base/faults.ts";

/** Learns how tries end. */
export interface TryObserver {
  /**
   * Called once for each try that was admitted, however it ends.
   *
   * @param result a position of `upstreamResult`
   * @param status of the service's answer, 0 where none has come
   * @param latencyMs from sending the request to the head of the answer, or to the failure
   */
  ended(result: number, status: number, latencyMs: number): void;
}

/** Lets tries pass or not: breakers, bounds on what is under way. */
export interface Guard extends TryObserver {
  /**
   * @param priority of the route's requests; higher ones are let pass longer.
   * @returns null to let it pass, else what the client is told where nothing else has failed before
   */
  admit(priority: number): Fault | null;
}
