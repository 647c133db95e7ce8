/** What a table of quotas wants to be set aside for one key in one period. */
export interface LeaseRequest {
  /** Names the quota. */
  readonly id: string;
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly limit: number;
  /** Nothing is set aside where there is less. */
  readonly need: number;
  /** Up to this, if there is so much. */
  readonly want: number;
  /** Counted already, while the ledger could not be asked. */
  readonly owed: number;
}

/** What the ledger has set aside; filled by it, and read before the next call. */
export interface Lease {
  granted: number;
  /** Of the limit by now, with what is set aside. */
  used: number;
  /** Finds the key's line in the ledger again; above 0. */
  line: number;
}

/**
 * The lasting book of what has been used. What is set aside counts as used: what a crash loses is at most
 * that, and never is anything allowed twice. May throw where it cannot be read or written.
 */
export interface QuotaLedger {
  lease(request: LeaseRequest, lease: Lease, nowMs: number): void;
  /** Changes what a line has used: negative for what was set aside and is not needed. */
  settle(line: number, amount: number): void;
}
