/**
 * flight-table: which keys are being fetched, and by which worker, in memory that all workers share. One leads,
 * the others wait for it.
 *
 *     buckets   see base/limits/bucket-memory.ts
 *     rows      | holder, turn, until | of the next entry | ...    three Int32 each
 *
 * An entry is taken as long as it has a holder. `turn` changes when the lead is over, which is what others wait
 * for; its lowest bit says whether something was stored. Beyond its room everyone leads for himself.
 */
import { BucketMemory, BYTES_PER_BUCKET, NO_ENTRY, WAYS } from "../limits/bucket-memory.ts";
import { BucketLocks } from "../limits/bucket-locks.ts";
import { type KeySpace, KeySpaces } from "../limits/key-spaces.ts";

export interface FlightsHandle {
  readonly buffer: SharedArrayBuffer;
  readonly secret: Uint8Array;
}

/** How waiting ended. */
export type FlightEnd = "stored" | "unstored" | "timeout";

/** A power of two; eight times as many keys at once. */
const BUCKETS = 512;
const ROW = 3;
const HOLDER = 0;
const TURN = 1;
const UNTIL = 2;
/** Who has not settled by then has lost the lead. */
const LEAD_SECONDS_MAX = 60;

/** 63 KiB. */
export function allocateFlights(secret: Uint8Array): FlightsHandle {
  const size = BUCKETS * BYTES_PER_BUCKET + BUCKETS * WAYS * ROW * 4;
  return { buffer: new SharedArrayBuffer(size), secret };
}

interface Waiting {
  readonly turn: number;
  readonly over: Promise<unknown>;
}

/** One thread's view. */
export class FlightTable {
  private readonly memory: BucketMemory;
  private readonly rows: Int32Array;
  private readonly space: KeySpace;
  private readonly holder: number;
  /** By row: a thousand who wait for one key are one for the other threads. */
  private readonly waiting = new Map<number, Waiting>();

  /** @param holder the thread's own number, from 1 */
  constructor({ buffer, secret }: FlightsHandle, holder: number) {
    this.memory = new BucketMemory(buffer, BUCKETS, holder);
    this.rows = rowsOf(buffer);
    this.space = new KeySpaces(secret).ofScope("flight");
    this.holder = holder;
  }

  /** Frees what a dead worker led, and wakes who waits. Without locks, which another of the dead may hold. */
  static clearHolder({ buffer }: FlightsHandle, holder: number): void {
    BucketLocks.breakLocksOf(holder, new Int32Array(buffer, 0, BUCKETS));
    const rows = rowsOf(buffer);
    for (let row = 0; row < rows.length; row += ROW) {
      if (Atomics.compareExchange(rows, row + HOLDER, holder, 0) === holder) wake(rows, row, false);
    }
  }

  /** Whether the caller leads from now on; then it has to settle. */
  lead(key: string): boolean {
    const { memory, rows } = this;
    const now = nowSeconds();
    memory.open(this.space, key);
    const found = memory.locate();
    const isLed = found !== NO_ENTRY && this.isTaken(found * ROW, now);
    if (!isLed) {
      const entry = found === NO_ENTRY ? this.claim(now) : found;
      if (entry !== NO_ENTRY) {
        rows[entry * ROW + UNTIL] = now + LEAD_SECONDS_MAX;
        Atomics.store(rows, entry * ROW + HOLDER, this.holder);
        memory.name(entry);
      }
    }
    memory.close();
    return !isLed;
  }

  /** Resolves when the lead is over; where nobody leads, at once, as if something had been stored just now. */
  async wait(key: string, timeoutMs: number): Promise<FlightEnd> {
    const { memory, rows } = this;
    memory.open(this.space, key);
    const found = memory.locate();
    const row = found * ROW;
    const isLed = found !== NO_ENTRY && this.isTaken(row, nowSeconds());
    const turn = isLed ? Atomics.load(rows, row + TURN) : 0;
    memory.close();
    if (!isLed) return "stored";
    const deadline = Promise.withResolvers<"timeout">();
    const timer = setTimeout(() => deadline.resolve("timeout"), timeoutMs);
    const end = await Promise.race([this.over(row, turn), deadline.promise]);
    clearTimeout(timer);
    if (end === "timeout") return "timeout";
    return (Atomics.load(rows, row + TURN) & 1) === 1 ? "stored" : "unstored";
  }

  /** The lead is over. No-op for who has lost it. */
  settle(key: string, stored: boolean): void {
    const { memory, rows } = this;
    memory.open(this.space, key);
    const found = memory.locate();
    const row = found * ROW;
    const isOwn =
      found !== NO_ENTRY &&
      Atomics.compareExchange(rows, row + HOLDER, this.holder, 0) === this.holder;
    if (isOwn) memory.free(found);
    memory.close();
    if (isOwn) wake(rows, row, stored);
  }

  private over(row: number, turn: number): Promise<unknown> {
    const known = this.waiting.get(row);
    if (known?.turn === turn) return known.over;
    const { async, value } = Atomics.waitAsync(this.rows, row + TURN, turn);
    const over = async ? value : Promise.resolve(value);
    const waiting = { turn, over };
    this.waiting.set(row, waiting);
    void over.then(() => {
      if (this.waiting.get(row) === waiting) this.waiting.delete(row);
    });
    return over;
  }

  private isTaken(row: number, now: number): boolean {
    return Atomics.load(this.rows, row + HOLDER) !== 0 && this.rows[row + UNTIL]! > now;
  }

  /** A free entry of the key's bucket, or one whose lead was lost. */
  private claim(now: number): number {
    const first = this.memory.bucket * WAYS;
    const free = this.memory.findFree();
    if (free !== NO_ENTRY) return free;
    for (let entry = first; entry < first + WAYS; entry++) {
      if (!this.isTaken(entry * ROW, now)) return entry;
    }
    return NO_ENTRY;
  }
}

/** To the next number whose lowest bit says so. */
function wake(rows: Int32Array, row: number, stored: boolean): void {
  const turn = Atomics.load(rows, row + TURN);
  const next = (turn & 1) === 1 ? turn + 1 : turn + 2;
  Atomics.store(rows, row + TURN, stored ? next + 1 : next);
  Atomics.notify(rows, row + TURN);
}

function rowsOf(buffer: SharedArrayBuffer): Int32Array {
  return new Int32Array(buffer, BUCKETS * BYTES_PER_BUCKET, BUCKETS * WAYS * ROW);
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
