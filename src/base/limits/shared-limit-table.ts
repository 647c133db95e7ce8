// HOT
/**
 * Counts by rule and key that all workers share: a table of fixed size in one SharedArrayBuffer.
 *
 *     buckets     see bucket-memory.ts
 *     states      | 8 rows of bucket 0 | 8 of bucket 1 | ...    five Float64 each, see limit-state.ts
 *     evictions   one Int32
 *
 * An entry takes 48 bytes. A key that finds its bucket full takes the place of a row that has expired,
 * else of the one whose share of its limit was the least used: who makes up keys by the million displaces
 * his own, and those far from their limits, before any that is near.
 *
 * A take costs 0.13 us (Node 26; an address as the key), half of it for hashing; it allocates nothing.
 */
import { BucketMemory, BYTES_PER_BUCKET, NO_ENTRY, WAYS } from "./bucket-memory.ts";
import { KeySpaces } from "./key-spaces.ts";
import type { LimitRule, LimitVerdict } from "./limit-rule.ts";
import {
  addCost,
  advanceState,
  isExpired,
  judge,
  mattersLess,
  startState,
  STATE_CELLS,
} from "./limit-state.ts";

/** What a worker needs to open the table; goes through `workerData`. */
export interface LimitTableHandle {
  readonly buffer: SharedArrayBuffer;
  /** A power of two. */
  readonly buckets: number;
  readonly secret: Uint8Array;
}

/** Bytes for a number of buckets. */
export function limitTableBytes(buckets: number): number {
  return evictionsOffset(buckets) + 8;
}

function statesOffset(buckets: number): number {
  return Math.ceil((buckets * BYTES_PER_BUCKET) / 8) * 8;
}

function evictionsOffset(buckets: number): number {
  return statesOffset(buckets) + buckets * WAYS * STATE_CELLS * 8;
}

/** One thread's view. */
export class SharedLimitTable {
  private readonly memory: BucketMemory;
  private readonly states: Float64Array;
  private readonly evicted: Int32Array;
  private readonly spaces: KeySpaces;
  /** Stands for the row of a key that has none. */
  private readonly absent: Float64Array;

  /** @param holder the thread's own number, from 1. */
  constructor({ buffer, buckets, secret }: LimitTableHandle, holder: number) {
    this.memory = new BucketMemory(buffer, buckets, holder);
    this.states = new Float64Array(buffer, statesOffset(buckets), buckets * WAYS * STATE_CELLS);
    this.evicted = new Int32Array(buffer, evictionsOffset(buckets), 1);
    this.spaces = new KeySpaces(secret);
    this.absent = new Float64Array(STATE_CELLS);
  }

  /** Entries that were forgotten before they had expired; begins anew after 2^32. */
  get evictions(): number {
    return Atomics.load(this.evicted, 0) >>> 0;
  }

  get lockCells(): Int32Array {
    return this.memory.lockCells;
  }

  take(rule: LimitRule, key: string, cost: number, nowMs: number, verdict: LimitVerdict): void {
    const { memory } = this;
    memory.open(this.spaces.ofRule(rule), key);
    const entry = this.judged(rule, cost, nowMs, verdict);
    if (verdict.allowed && cost > 0) {
      const taken = entry === NO_ENTRY ? this.claim(rule, nowMs) : entry;
      const at = taken * STATE_CELLS;
      addCost(this.states, at, rule, cost, nowMs);
      judge(this.states, at, rule, 0, nowMs, verdict);
      if (entry === NO_ENTRY) memory.name(taken);
    }
    memory.close();
  }

  peek(rule: LimitRule, key: string, cost: number, nowMs: number, verdict: LimitVerdict): void {
    this.memory.open(this.spaces.ofRule(rule), key);
    this.judged(rule, cost, nowMs, verdict);
    this.memory.close();
  }

  charge(rule: LimitRule, key: string, cost: number, nowMs: number): void {
    const { memory } = this;
    if (!(cost > 0)) return;
    memory.open(this.spaces.ofRule(rule), key);
    const entry = memory.locate();
    const charged = entry === NO_ENTRY ? this.claim(rule, nowMs) : entry;
    const at = charged * STATE_CELLS;
    advanceState(this.states, at, rule, nowMs);
    addCost(this.states, at, rule, cost, nowMs);
    if (entry === NO_ENTRY) memory.name(charged);
    memory.close();
  }

  refund(rule: LimitRule, key: string, cost: number, nowMs: number): void {
    const { memory } = this;
    memory.open(this.spaces.ofRule(rule), key);
    const entry = memory.locate();
    if (entry !== NO_ENTRY) {
      const at = entry * STATE_CELLS;
      advanceState(this.states, at, rule, nowMs);
      addCost(this.states, at, rule, -cost, nowMs);
    }
    memory.close();
  }

  /** Fills the verdict; returns the key's entry, brought to the present, or NO_ENTRY. */
  private judged(rule: LimitRule, cost: number, nowMs: number, verdict: LimitVerdict): number {
    const entry = this.memory.locate();
    if (entry === NO_ENTRY) {
      startState(this.absent, 0, rule, nowMs);
      judge(this.absent, 0, rule, cost, nowMs, verdict);
    } else {
      advanceState(this.states, entry * STATE_CELLS, rule, nowMs);
      judge(this.states, entry * STATE_CELLS, rule, cost, nowMs, verdict);
    }
    return entry;
  }

  /** An entry for a key that has none, with nothing used; to be named once it is written. */
  private claim(rule: LimitRule, nowMs: number): number {
    const { memory, states } = this;
    let entry = memory.findFree();
    if (entry === NO_ENTRY) {
      entry = this.leastOf(memory.bucket * WAYS, nowMs);
      if (!isExpired(states, entry * STATE_CELLS, nowMs)) Atomics.add(this.evicted, 0, 1);
      memory.free(entry);
    }
    startState(states, entry * STATE_CELLS, rule, nowMs);
    return entry;
  }

  private leastOf(first: number, nowMs: number): number {
    const { states } = this;
    let least = first;
    for (let entry = first; entry < first + WAYS; entry++) {
      const at = entry * STATE_CELLS;
      if (isExpired(states, at, nowMs)) return entry;
      if (mattersLess(states, at, least * STATE_CELLS)) least = entry;
    }
    return least;
  }
}
