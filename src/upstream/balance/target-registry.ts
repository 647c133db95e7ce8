/**
 * A worker's targets beyond one snapshot. A new snapshot (reload, changed DNS answer) gets new
 * `Target` objects with its own weights, so that preparing it changes nothing for the old one; both
 * share one `TargetState`, which is dropped when the last snapshot that names it is released.
 */
import { NO_SLOT } from "../../base/shared-counters.ts";
import type { SharedCounters } from "../../base/shared-counters.ts";
import type { SharedRecords } from "../../base/shared-records.ts";
import { TargetState } from "./target-state.ts";
import { Target, targetIdentity } from "./target.ts";
import type { TargetSettings } from "./target.ts";

export class TargetRegistry {
  private readonly states: Map<string, TargetState>;
  private readonly counters: SharedCounters | undefined;
  private readonly records: SharedRecords | undefined;

  /** Without `counters` and `records` each worker knows only what it has seen itself. */
  constructor(counters?: SharedCounters, records?: SharedRecords) {
    this.states = new Map();
    this.counters = counters;
    this.records = records;
  }

  /** Targets whose state is kept. */
  get size(): number {
    return this.states.size;
  }

  /**
   * The targets of one service for one snapshot.
   * @param slots from the main thread's `SlotTable`, by `targetIdentity`. A state that is already
   * there keeps the slot it has: its requests are counted there.
   */
  acquire(
    settings: readonly TargetSettings[],
    slots: Readonly<Record<string, number>> = {},
  ): Target[] {
    return settings.map((one, index) => {
      const identity = targetIdentity(one);
      let state = this.states.get(identity);
      if (state === undefined) {
        const slot = slots[identity] ?? NO_SLOT;
        state = new TargetState(identity, this.counters, slot, this.records?.of(slot));
        this.states.set(identity, state);
      }
      state.leases += 1;
      return new Target(one, state, index);
    });
  }

  /** Gives up what `acquire` returned; once for each. */
  release(targets: readonly Target[]): void {
    for (const { state } of targets) {
      state.leases -= 1;
      if (state.leases === 0) this.states.delete(state.identity);
    }
  }
}
