import type { Lease, LeaseRequest, QuotaLedger } from "./quota-ledger.ts";

interface Line {
  used: number;
  endMs: number;
}

/** A ledger of one thread that lasts as long as it does: for tests. */
export class MemoryLedger implements QuotaLedger {
  private readonly lines: Line[] = [];
  private readonly byKey = new Map<string, number>();

  lease(request: LeaseRequest, lease: Lease): void {
    const { id, key, startMs, endMs, limit, need, want, owed } = request;
    const name = JSON.stringify([id, key, startMs]);
    const known = this.byKey.get(name);
    const line = known ?? this.lines.push({ used: 0, endMs });
    if (known === undefined) this.byKey.set(name, line);
    const entry = this.lines[line - 1]!;
    entry.used += owed;
    lease.granted = entry.used + need > limit ? 0 : Math.min(want, limit - entry.used);
    entry.used += lease.granted;
    lease.used = entry.used;
    lease.line = line;
  }

  settle(line: number, amount: number): void {
    this.lines[line - 1]!.used += amount;
  }
}
