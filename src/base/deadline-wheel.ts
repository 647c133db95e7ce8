// HOT
/**
 * Timeouts for tens of thousands of objects at the price of two stores each.
 *
 * A deadline is a node that hangs in the slot of the tick at which it was due when it was linked. Moving
 * it later or clearing it only changes `expiresAtMs`; the wheel finds out when it comes to the slot, and
 * hangs the node elsewhere or lets it go. Only moving it to an earlier tick relinks. One timer drives
 * all of them; expiry is late by up to two ticks, never early.
 *
 *     slots   0      1      2     ...   511
 *             |      |      |
 *            node   node   node        doubly linked, so that a node can leave at once
 */

const SLOT_COUNT = 512;
const NEVER = Number.MAX_SAFE_INTEGER;

/** Something that can expire. Extend it or embed one; `onDeadline` runs outside any other callback. */
export abstract class Deadline {
  /** @internal */
  expiresAtMs: number;
  /** @internal Tick whose slot it hangs in, -1 when unlinked. */
  linkedTick: number;
  /** @internal */
  next: Deadline | null;
  /** @internal */
  previous: Deadline | null;

  constructor() {
    this.expiresAtMs = NEVER;
    this.linkedTick = -1;
    this.next = null;
    this.previous = null;
  }

  abstract onDeadline(): void;
}

export class DeadlineWheel {
  /** Milliseconds since the wheel was made, as of the last tick: free to read, late by up to a tick. */
  nowMs: number;
  readonly tickMs: number;
  private tick: number;
  private readonly slots: (Deadline | null)[];
  private readonly clock: () => number;
  private readonly startedAtMs: number;
  private timer: NodeJS.Timeout | null;

  /**
   * @param tickMs resolution, default 100 ms.
   * @param clock monotonic milliseconds, for tests.
   */
  // cold: once per worker
  constructor(tickMs = 100, clock: () => number = () => performance.now()) {
    this.tickMs = tickMs;
    this.tick = 0;
    this.nowMs = 0;
    this.slots = [];
    for (let slot = 0; slot < SLOT_COUNT; slot++) this.slots.push(null);
    this.clock = clock;
    this.startedAtMs = clock();
    this.timer = null;
  }

  /** Starts ticking. The timer does not keep the process alive. */
  // cold: once per worker
  start(): void {
    this.timer ??= setInterval(() => this.advance(), this.tickMs).unref();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** (Re)sets a deadline to `afterMs` from now. 0 means never. */
  set(node: Deadline, afterMs: number): void {
    if (afterMs === 0) {
      node.expiresAtMs = NEVER;
      return;
    }
    // The tick under way counts as gone: one more keeps a deadline from being early.
    this.setAt(node, this.nowMs + afterMs + this.tickMs);
  }

  /**
   * The same at the price of reading the clock: late by one tick at most, and not early after a stall either, in
   * which ticks have not been counted.
   */
  setExactly(node: Deadline, afterMs: number): void {
    this.setAt(node, this.clock() - this.startedAtMs + afterMs);
  }

  private setAt(node: Deadline, expiresAtMs: number): void {
    node.expiresAtMs = expiresAtMs;
    const due = Math.ceil(expiresAtMs / this.tickMs);
    if (node.linkedTick < 0) this.link(node, due);
    else if (due < node.linkedTick) {
      this.unlink(node);
      this.link(node, due);
    }
  }

  /** Forgets a deadline for now; it may be set again. */
  clear(node: Deadline): void {
    node.expiresAtMs = NEVER;
  }

  /** Takes a node out at once, for objects that are done with: the wheel holds no reference to it. */
  release(node: Deadline): void {
    node.expiresAtMs = NEVER;
    if (node.linkedTick >= 0) this.unlink(node);
  }

  private link(node: Deadline, due: number): void {
    // Farther than a turn: wait in the last slot and be hung up again from there.
    const latest = this.tick + SLOT_COUNT - 1;
    const tick = due > latest ? latest : due <= this.tick ? this.tick + 1 : due;
    const slot = tick % SLOT_COUNT;
    const head = this.slots[slot]!;
    node.linkedTick = tick;
    node.previous = null;
    node.next = head;
    if (head !== null) head.previous = node;
    this.slots[slot] = node;
  }

  private unlink(node: Deadline): void {
    const { next, previous } = node;
    if (previous !== null) previous.next = next;
    else this.slots[node.linkedTick % SLOT_COUNT] = next;
    if (next !== null) next.previous = previous;
    node.next = null;
    node.previous = null;
    node.linkedTick = -1;
  }

  /** Runs every tick that has come since the last call. */
  advance(): void {
    this.nowMs = this.clock() - this.startedAtMs;
    const now = Math.floor(this.nowMs / this.tickMs);
    // After a long stall one turn over all slots sees every node.
    if (now - this.tick > SLOT_COUNT) this.tick = now - SLOT_COUNT;
    while (this.tick < now) {
      this.tick++;
      this.runSlot(this.tick % SLOT_COUNT);
    }
  }

  private runSlot(slot: number): void {
    let node = this.slots[slot]!;
    this.slots[slot] = null;
    // Detached as a list first: callbacks may set and release any node, also ones further on.
    for (let at: Deadline | null = node; at !== null; at = at.next) at.linkedTick = this.tick;
    while (node !== null) {
      const next: Deadline | null = node.next;
      if (next !== null) next.previous = null;
      this.slots[slot] = next;
      node.next = null;
      node.previous = null;
      node.linkedTick = -1;
      this.runNode(node);
      node = this.slots[slot]!;
    }
  }

  private runNode(node: Deadline): void {
    if (node.expiresAtMs === NEVER) return;
    if (node.expiresAtMs > this.nowMs) {
      this.link(node, Math.ceil(node.expiresAtMs / this.tickMs));
      return;
    }
    node.expiresAtMs = NEVER;
    node.onDeadline();
  }
}
