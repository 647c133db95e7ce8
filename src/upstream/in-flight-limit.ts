// HOT
import { Fault, faultTypes } from "../base/faults.ts";
import type { Counter } from "../base/metrics/metric-view.ts";
import { NO_SLOT, type SharedCounters } from "../base/shared-counters.ts";
import type { Guard } from "./guard.ts";

/** A place may be free at any moment; a client is not to come back at once all the same. */
const BUSY = new Fault(faultTypes["service-busy"], "", "", { "retry-after": "1" });

/**
 * A bulkhead: bounds the tries that are under way to a service or a target, those that wait for a connection
 * and those whose answer is still coming included. All workers count together; a worker that dies gives its
 * places back with its row of the counters.
 */
export class InFlightLimit implements Guard {
  private readonly max: number;
  private readonly counters: SharedCounters;
  private readonly slot: number;
  private readonly refusals: Counter;
  /** Of this worker, where there is no slot. */
  private local: number;

  /** @param slot its own; with `NO_SLOT` each worker counts for itself. */
  constructor(max: number, counters: SharedCounters, slot: number, refusals: Counter) {
    this.max = max;
    this.counters = counters;
    this.slot = slot;
    this.refusals = refusals;
    this.local = 0;
  }

  admit(): Fault | null {
    if (!this.refuses()) {
      // Another may have been quicker: what decides is the total that includes this one.
      if (this.add(1) <= this.max) return null;
      this.add(-1);
    }
    this.refusals.add(1);
    return BUSY;
  }

  refuses(): boolean {
    return (this.slot === NO_SLOT ? this.local : this.counters.load(this.slot)) >= this.max;
  }

  ended(): void {
    this.add(-1);
  }

  private add(amount: number): number {
    if (this.slot === NO_SLOT) return (this.local += amount);
    return this.counters.add(this.slot, amount);
  }
}
