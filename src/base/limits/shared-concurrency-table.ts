// HOT
/**
 * Numbers of what is under way, by scope and key, that all workers share: a table of fixed size in one
 * SharedArrayBuffer.
 *
 *     buckets     see bucket-memory.ts
 *     counts      | total, of worker 0, of worker 1, ... | of the next entry | ...    Int32
 *
 * Workers' own parts are there for one thing: what a worker held when it died is taken back. The main
 * thread does that without locks, which another of the dead may hold; hence the atomics. An entry is free
 * again once nothing is under way. A key that finds its bucket full is counted by each worker for itself:
 * nothing that lives is ever forgotten, so that every release finds what it was acquired as. The two
 * together cost 0.22 us (Node 26).
 */
import { BucketMemory, BYTES_PER_BUCKET, NO_ENTRY, WAYS } from "./bucket-memory.ts";
import { KeySpaces } from "./key-spaces.ts";

/** What a worker needs to open the table; goes through `workerData`. */
export interface ConcurrencyTableHandle {
  readonly buffer: SharedArrayBuffer;
  /** A power of two. */
  readonly buckets: number;
  readonly workers: number;
  readonly secret: Uint8Array;
}

/** Bytes for a number of buckets. */
export function concurrencyTableBytes(buckets: number, workers: number): number {
  return buckets * BYTES_PER_BUCKET + buckets * WAYS * (workers + 1) * 4;
}

/** One thread's view. */
export class SharedConcurrencyTable {
  private readonly memory: BucketMemory;
  private readonly counts: Int32Array;
  private readonly cellsPerEntry: number;
  private readonly worker: number;
  private readonly spaces: KeySpaces;
  /** Counts of keys that found no room, by scope and key. */
  private readonly unshared: Map<string, number>;

  /** @param worker from 0; `handle.workers` for the main thread, which only looks. */
  constructor(handle: ConcurrencyTableHandle, worker: number) {
    const { buffer, buckets, workers, secret } = handle;
    this.memory = new BucketMemory(buffer, buckets, worker + 1);
    this.counts = new Int32Array(buffer, buckets * BYTES_PER_BUCKET);
    this.cellsPerEntry = workers + 1;
    this.worker = worker;
    this.spaces = new KeySpaces(secret);
    this.unshared = new Map();
  }

  acquire(scope: string, key: string, max: number): boolean {
    const { memory } = this;
    memory.open(this.spaces.ofScope(scope), key);
    const found = memory.locate();
    const entry = found === NO_ENTRY ? this.findIdle() : found;
    const isShared = entry !== NO_ENTRY;
    const isThere = isShared && Atomics.load(this.counts, entry * this.cellsPerEntry) < max;
    if (isThere) {
      this.add(entry, 1);
      if (found === NO_ENTRY) memory.name(entry);
    }
    memory.close();
    return isShared ? isThere : this.acquireUnshared(scope, key, max);
  }

  release(scope: string, key: string): void {
    if (this.unshared.size > 0 && this.releaseUnshared(scope, key)) return;
    const { memory } = this;
    memory.open(this.spaces.ofScope(scope), key);
    const entry = memory.locate();
    // More releases than acquisitions would be a mistake of ours; others' parts are not to suffer.
    if (entry !== NO_ENTRY && this.counts[entry * this.cellsPerEntry + 1 + this.worker]! > 0) {
      if (this.add(entry, -1) === 0) memory.free(entry);
    }
    memory.close();
  }

  count(scope: string, key: string): number {
    const { memory } = this;
    memory.open(this.spaces.ofScope(scope), key);
    const entry = memory.locate();
    const count = entry === NO_ENTRY ? 0 : Atomics.load(this.counts, entry * this.cellsPerEntry);
    memory.close();
    return count + (this.unshared.get(unsharedKey(scope, key)) ?? 0);
  }

  /** Changes this worker's part and the total, which is returned. */
  private add(entry: number, amount: number): number {
    const at = entry * this.cellsPerEntry;
    // Nothing can end the thread between the two: V8 stops it only where a call or a loop begins.
    this.counts[at + 1 + this.worker]! += amount;
    return Atomics.add(this.counts, at, amount) + amount;
  }

  /** An entry of the open bucket that counts nothing: free, or left behind by a worker that died. */
  private findIdle(): number {
    const first = this.memory.bucket * WAYS;
    for (let entry = first; entry < first + WAYS; entry++) {
      if (Atomics.load(this.counts, entry * this.cellsPerEntry) === 0) return entry;
    }
    return NO_ENTRY;
  }

  get lockCells(): Int32Array {
    return this.memory.lockCells;
  }

  /** Takes back what a worker held that has ended. */
  clearWorker(worker: number): void {
    const { counts, cellsPerEntry } = this;
    for (let at = 0; at < counts.length; at += cellsPerEntry) {
      const held = Atomics.exchange(counts, at + 1 + worker, 0);
      if (held !== 0) Atomics.sub(counts, at, held);
    }
  }

  private acquireUnshared(scope: string, key: string, max: number): boolean {
    const name = unsharedKey(scope, key);
    const count = this.unshared.get(name) ?? 0;
    if (count >= max) return false;
    this.unshared.set(name, count + 1);
    return true;
  }

  private releaseUnshared(scope: string, key: string): boolean {
    const name = unsharedKey(scope, key);
    const count = this.unshared.get(name);
    if (count === undefined) return false;
    if (count === 1) this.unshared.delete(name);
    else this.unshared.set(name, count - 1);
    return true;
  }
}

/** Scopes have no line feed. */
function unsharedKey(scope: string, key: string): string {
  return `${scope}\n${key}`;
}
