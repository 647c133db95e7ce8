// HOT
/**
 * What is used of quotas, in memory that all workers share, exactly: one entry for a key in a period. A key's
 * entry holds a lease from the ledger, a little more than is needed now, and all workers draw on it: a request
 * costs 0.2 us (Node 26), and one in a hundred asks the ledger, which takes some 20 us.
 *
 *     buckets   see bucket-memory.ts
 *     entries   | 8 rows of bucket 0 | 8 of bucket 1 | ...    seven Float64 each:
 *
 *     USED      costs that have been counted, by the ledger's last word and what was drawn since
 *     REST      what is left of the lease
 *     OWED      counted without the ledger, because it failed; told with the next lease
 *     LINE      in the ledger; 0 for none yet
 *     ENDS      of the period (epoch ms)
 *     ASKED     when the ledger was asked last (epoch ms)
 *     DRAWN     when something was drawn last (epoch ms)
 *
 * A bucket stays locked while the ledger is asked: others wait who want a key of that bucket just then.
 */
import { BucketMemory, BYTES_PER_BUCKET, NO_ENTRY, WAYS } from "./bucket-memory.ts";
import { KeySpaces } from "./key-spaces.ts";
import type { Lease, LeaseRequest, QuotaLedger } from "./quota-ledger.ts";

/** What a worker needs to open the table; goes through `workerData`. */
export interface QuotaTableHandle {
  readonly buffer: SharedArrayBuffer;
  /** A power of two. */
  readonly buckets: number;
  readonly secret: Uint8Array;
}

/** One quota. Make it once; it is the same object for every request. */
export interface QuotaRule {
  /** Unique among all quotas; counts are kept under it, the key and the period. */
  readonly id: string;
  /** Costs allowed in a period, at least 1. */
  readonly limit: number;
}

/** Epoch milliseconds; the end is the start of the next. */
export interface QuotaPeriod {
  readonly startMs: number;
  readonly endMs: number;
}

/** What a table says of one request; reused, so read it before the next call. */
export interface QuotaVerdict {
  allowed: boolean;
  /** Costs counted in this period, this one included where it is allowed. */
  used: number;
}

const CELLS = 7;
const USED = 0;
const REST = 1;
const OWED = 2;
const LINE = 3;
const ENDS = 4;
const ASKED = 5;
const DRAWN = 6;

/** A crash loses at most this share of a limit for each key, and never more than so much. */
const LEASE_SHARE = 0.01;
const LEASE_MAX = 1000;
/** After a refusal the ledger is asked again so often: another process may have given something back. */
const ASK_AGAIN_MS = 1000;

function cellsOffset(buckets: number): number {
  return Math.ceil((buckets * BYTES_PER_BUCKET) / 8) * 8;
}

/** Bytes for a number of buckets. */
export function quotaTableBytes(buckets: number): number {
  return cellsOffset(buckets) + buckets * WAYS * CELLS * 8;
}

/** One thread's view. */
export class SharedQuotaTable {
  private readonly memory: BucketMemory;
  private readonly cells: Float64Array;
  private readonly spaces: KeySpaces;
  private readonly ledger: QuotaLedger;
  private readonly granted: Lease;
  private readonly onFailure: (error: unknown) => void;

  /**
   * @param holder the thread's own number, from 1
   * @param onFailure told when the ledger throws; what it would have set aside is counted in memory alone
   */
  constructor(
    { buffer, buckets, secret }: QuotaTableHandle,
    holder: number,
    ledger: QuotaLedger,
    onFailure: (error: unknown) => void,
  ) {
    this.memory = new BucketMemory(buffer, buckets, holder);
    this.cells = new Float64Array(buffer, cellsOffset(buckets), buckets * WAYS * CELLS);
    this.spaces = new KeySpaces(secret);
    this.ledger = ledger;
    this.granted = { granted: 0, used: 0, line: 0 };
    this.onFailure = onFailure;
  }

  get lockCells(): Int32Array {
    return this.memory.lockCells;
  }

  /** Takes `cost` if it is there, in one step, and fills `verdict`. */
  take(
    rule: QuotaRule,
    key: string,
    period: QuotaPeriod,
    cost: number,
    nowMs: number,
    verdict: QuotaVerdict,
  ): void {
    const { memory, cells } = this;
    memory.open(this.spaceOf(rule, period), key);
    const found = memory.locate();
    const entry = found === NO_ENTRY ? this.claim(period, nowMs) : found;
    const at = entry * CELLS;
    if (cost > cells[at + REST]!) this.extend(at, rule, key, period, cost, nowMs);
    const allowed = cost <= cells[at + REST]!;
    if (allowed) {
      cells[at + REST]! -= cost;
      cells[at + USED]! += cost;
      cells[at + DRAWN] = nowMs;
    }
    verdict.allowed = allowed;
    verdict.used = cells[at + USED]!;
    if (found === NO_ENTRY) memory.name(entry);
    memory.close();
  }

  /** Gives back what `take` took, where the request turned out not to count. */
  refund(rule: QuotaRule, key: string, period: QuotaPeriod, cost: number, nowMs: number): void {
    const { memory, cells } = this;
    if (nowMs >= period.endMs) return;
    memory.open(this.spaceOf(rule, period), key);
    const found = memory.locate();
    const entry = found === NO_ENTRY ? this.claim(period, nowMs) : found;
    const at = entry * CELLS;
    if (found === NO_ENTRY) this.ask(at, rule, key, period, 0, nowMs);
    const used = cells[at + USED]!;
    const given = cost < used ? cost : used;
    cells[at + USED] = used - given;
    cells[at + REST]! += given;
    if (found === NO_ENTRY) memory.name(entry);
    memory.close();
  }

  /** Gives back to the ledger what no request has used; when no thread draws any more. */
  settleAll(nowMs: number): void {
    const { cells } = this;
    for (let at = 0; at < cells.length; at += CELLS) this.settle(at, nowMs);
  }

  private spaceOf({ id }: QuotaRule, { startMs }: QuotaPeriod) {
    return this.spaces.ofScope(`quota ${startMs} ${id}`);
  }

  /** Has the lease made large enough for `cost`, unless it is known that there is not so much. */
  private extend(
    at: number,
    rule: QuotaRule,
    key: string,
    period: QuotaPeriod,
    cost: number,
    nowMs: number,
  ): void {
    const { cells } = this;
    const need = cost - cells[at + REST]!;
    const isKnown = nowMs - cells[at + ASKED]! < ASK_AGAIN_MS;
    if (isKnown && cells[at + USED]! + cost > rule.limit) return;
    this.ask(at, rule, key, period, need, nowMs);
  }

  private ask(
    at: number,
    rule: QuotaRule,
    key: string,
    period: QuotaPeriod,
    need: number,
    nowMs: number,
  ): void {
    const { cells, granted } = this;
    const { id, limit } = rule;
    const { startMs, endMs } = period;
    const more = Math.min(LEASE_MAX, Math.floor(limit * LEASE_SHARE));
    const want = need === 0 ? 0 : need + more;
    const owed = cells[at + OWED]!;
    const request: LeaseRequest = { id, key, startMs, endMs, limit, need, want, owed };
    cells[at + ASKED] = nowMs;
    try {
      this.ledger.lease(request, granted, nowMs);
      cells[at + REST]! += granted.granted;
      cells[at + USED] = granted.used - cells[at + REST]!;
      cells[at + LINE] = granted.line;
      cells[at + OWED] = 0;
    } catch (error) {
      this.onFailure(error);
      if (cells[at + USED]! + cells[at + REST]! + need > limit) return;
      cells[at + REST]! += need;
      cells[at + OWED]! += need;
    }
  }

  /** An entry for a key that has none, with nothing in it; to be named once it is written. */
  private claim({ endMs }: QuotaPeriod, nowMs: number): number {
    const { memory, cells } = this;
    let entry = memory.findFree();
    if (entry === NO_ENTRY) {
      entry = this.leastOf(memory.bucket * WAYS, nowMs);
      memory.free(entry);
      this.settle(entry * CELLS, nowMs);
    }
    const at = entry * CELLS;
    cells.fill(0, at, at + CELLS);
    cells[at + ENDS] = endMs;
    cells[at + ASKED] = -Infinity;
    return entry;
  }

  private settle(at: number, nowMs: number): void {
    const { cells } = this;
    const line = cells[at + LINE]!;
    const amount = cells[at + OWED]! - cells[at + REST]!;
    if (line === 0 || amount === 0 || cells[at + ENDS]! <= nowMs) return;
    try {
      this.ledger.settle(line, amount);
      cells[at + REST] = 0;
      cells[at + OWED] = 0;
    } catch (error) {
      this.onFailure(error);
    }
  }

  /** The entry whose period is over, else the one that was drawn on the longest ago. */
  private leastOf(first: number, nowMs: number): number {
    const { cells } = this;
    let least = first;
    for (let entry = first; entry < first + WAYS; entry++) {
      if (cells[entry * CELLS + ENDS]! <= nowMs) return entry;
      if (cells[entry * CELLS + DRAWN]! < cells[least * CELLS + DRAWN]!) least = entry;
    }
    return least;
  }
}
