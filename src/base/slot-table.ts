/**
 * The main thread's side of the shared counters: allocates the memory, gives each identity a slot,
 * and takes slots back when no snapshot names them any more.
 *
 * Identities are leased by a whole snapshot at once. One that several leases name keeps its slot, and
 * with it its count, across reloads. Call `release` when the last worker is done with the snapshot.
 * A freed slot is given out again only once its count is back at zero, so that a request that
 * outlives its snapshot can never change another's count.
 */
import { NO_SLOT } from "./shared-counters.ts";
import type { SharedCountersHandle } from "./shared-counters.ts";

const INTS_PER_CACHE_LINE = 16;

export interface SlotTableSettings {
  /** Threads that may write. Each costs `slots * 4` bytes. */
  rows: number;
  /** How many identities there can be at once, default 4096; rounded up to whole cache lines. */
  slots?: number;
  /** Called when a slot is given to an identity that has none. */
  onTake?: (slot: number) => void;
  /** Called once, when an identity first finds no slot; it is then counted by each worker alone. */
  onFull?: (slots: number) => void;
}

export interface SlotLease {
  /** Slot of each identity, `NO_SLOT` where there was none left. Plain data, goes to workers. */
  readonly slots: Record<string, number>;
  /** Gives the identities up; further calls do nothing. */
  release(): void;
}

interface Holding {
  slot: number;
  leases: number;
}

export class SlotTable {
  readonly handle: SharedCountersHandle;
  private readonly cells: Int32Array;
  private readonly holdings: Map<string, Holding>;
  /** Slots to give out, the next one last. */
  private readonly free: number[];
  private readonly onTake: (slot: number) => void;
  private readonly onFull: (slots: number) => void;
  private wasFull: boolean;

  constructor(settings: SlotTableSettings) {
    const wanted = settings.slots ?? 4096;
    const slots = Math.ceil(wanted / INTS_PER_CACHE_LINE) * INTS_PER_CACHE_LINE;
    const buffer = new SharedArrayBuffer((settings.rows + 1) * slots * 4);
    this.handle = { buffer, rows: settings.rows, slots };
    this.cells = new Int32Array(buffer);
    this.holdings = new Map();
    this.free = Array.from({ length: slots }, (_, index) => slots - 1 - index);
    this.onTake = settings.onTake ?? (() => {});
    this.onFull = settings.onFull ?? (() => {});
    this.wasFull = false;
  }

  /** Identities that hold a slot now. */
  get size(): number {
    return this.holdings.size;
  }

  /** Slots for all of `identities`, held until `release`. Naming one twice is the same as once. */
  lease(identities: Iterable<string>): SlotLease {
    const held = new Set<string>();
    const slots: [string, number][] = [];
    for (const identity of new Set(identities)) {
      const slot = this.acquire(identity);
      if (slot !== NO_SLOT) held.add(identity);
      slots.push([identity, slot]);
    }
    return {
      slots: Object.fromEntries(slots),
      release: () => {
        for (const identity of held) this.give(identity);
        held.clear();
      },
    };
  }

  /** Slot of an identity that some lease holds, else `NO_SLOT`. */
  find(identity: string): number {
    return this.holdings.get(identity)?.slot ?? NO_SLOT;
  }

  /** Total of all workers, as `SharedCounters.load` sees it. */
  load(slot: number): number {
    return Atomics.load(this.cells, slot);
  }

  /** Sum of the rows. Equal to `load` whenever no `add` is under way: the test of the books. */
  sum(slot: number): number {
    let sum = 0;
    for (let row = 1; row <= this.handle.rows; row++) {
      sum += Atomics.load(this.cells, row * this.handle.slots + slot);
    }
    return sum;
  }

  /** Takes back all that a dead worker held. Call after its thread has ended, before another gets its row. */
  clearRow(row: number): void {
    if (!(row >= 0 && row < this.handle.rows)) throw new RangeError(`no row ${row}`);
    const start = (row + 1) * this.handle.slots;
    for (let slot = 0; slot < this.handle.slots; slot++) {
      const held = Atomics.exchange(this.cells, start + slot, 0);
      if (held !== 0) Atomics.sub(this.cells, slot, held);
    }
  }

  private acquire(identity: string): number {
    const holding = this.holdings.get(identity);
    if (holding !== undefined) {
      holding.leases += 1;
      return holding.slot;
    }
    const slot = this.takeFree();
    if (slot === NO_SLOT) {
      if (!this.wasFull) this.onFull(this.handle.slots);
      this.wasFull = true;
      return NO_SLOT;
    }
    this.onTake(slot);
    this.holdings.set(identity, { slot, leases: 1 });
    return slot;
  }

  private give(identity: string): void {
    const holding = this.holdings.get(identity)!;
    holding.leases -= 1;
    if (holding.leases > 0) return;
    this.holdings.delete(identity);
    this.free.push(holding.slot);
  }

  /** A free slot that counts nothing. Those that still do stay where they are and are asked again. */
  private takeFree(): number {
    for (let at = this.free.length - 1; at >= 0; at--) {
      const slot = this.free[at]!;
      if (!this.isIdle(slot)) continue;
      this.free[at] = this.free[this.free.length - 1]!;
      this.free.pop();
      return slot;
    }
    return NO_SLOT;
  }

  /** Nobody counts in it: the total and, for adds that cancel out, every row is zero. */
  private isIdle(slot: number): boolean {
    for (let row = 0; row <= this.handle.rows; row++) {
      if (Atomics.load(this.cells, row * this.handle.slots + slot) !== 0) return false;
    }
    return true;
  }
}
