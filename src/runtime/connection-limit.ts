import { NO_SLOT } from "../base/shared-counters.ts";
import type { SharedCounters } from "../base/shared-counters.ts";
import { clientConnectionsIdentity } from "./data-plane-needs.ts";
import type { ConnectionGate } from "./listener.ts";

/** `limits.connections`: counts the clients' connections of all workers, exactly. */
export class ConnectionLimit implements ConnectionGate {
  private readonly counters: SharedCounters;
  private slot: number;
  private max: number;

  constructor(counters: SharedCounters) {
    this.counters = counters;
    this.slot = NO_SLOT;
    this.max = 0;
  }

  /** @param max 0 for any number. The slot stays the same over reloads, as its identity does. */
  set(max: number, slots: Readonly<Record<string, number>>): void {
    this.max = max;
    this.slot = slots[clientConnectionsIdentity] ?? NO_SLOT;
  }

  enter(): boolean {
    if (this.slot === NO_SLOT) return true;
    const total = this.counters.add(this.slot, 1);
    if (this.max === 0 || total <= this.max) return true;
    this.counters.add(this.slot, -1);
    return false;
  }

  leave(): void {
    if (this.slot !== NO_SLOT) this.counters.add(this.slot, -1);
  }
}
