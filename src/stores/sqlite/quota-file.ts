/** quota-file: the ledger of quotas on this machine; every lease is one statement. */
import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Lease, LeaseRequest, QuotaLedger } from "../../base/limits/quota-ledger.ts";
import { openSqliteFile, type SqliteVersions } from "./sqlite-file.ts";

/** Name of the file in the data folder. */
export const QUOTA_FILE = "quotas.db";

/** `granted` is what the last lease has set aside: a statement tells only what has become of a row. */
const versions: SqliteVersions = [
  `
  CREATE TABLE quotas (
    line INTEGER PRIMARY KEY,
    quota TEXT NOT NULL,
    key TEXT NOT NULL,
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    used REAL NOT NULL,
    granted REAL NOT NULL,
    UNIQUE (quota, key, start_ms)
  ) STRICT;

  CREATE INDEX quotas_by_end ON quotas (end_ms);
  `,
];

const LEASE = `
  INSERT INTO quotas (quota, key, start_ms, end_ms, used, granted)
  VALUES (:quota, :key, :start, :end, :owed + :first, :first)
  ON CONFLICT (quota, key, start_ms) DO UPDATE SET
    granted = CASE WHEN used + :owed + :need > :limit THEN 0
              ELSE min(:want, :limit - used - :owed) END,
    used = used + :owed + CASE WHEN used + :owed + :need > :limit THEN 0
              ELSE min(:want, :limit - used - :owed) END
  RETURNING line, used, granted`;

/** Another thread's statement takes microseconds; a request is not to wait long for a file that is stuck. */
const WAITS_MS = 250;
/** Ended periods are kept for a while, for whoever wants to look, then go a few at a time. */
const KEPT_MS = 7 * 86_400_000;
const SWEEP_INTERVAL_MS = 60_000;
const SWEEP_COUNT = 500;

interface OpenFile {
  readonly database: DatabaseSync;
  readonly lease: StatementSync;
  readonly settle: StatementSync;
  readonly sweep: StatementSync;
}

/** Made at the first lease. Keys are kept as hashes: they may be credentials. */
export class QuotaFile implements QuotaLedger, Disposable {
  private readonly path: string;
  private opened: OpenFile | null = null;
  private sweptMs = -Infinity;

  constructor(path: string) {
    this.path = path;
  }

  lease(request: LeaseRequest, lease: Lease, nowMs: number): void {
    const { id, key, startMs, endMs, limit, need, want, owed } = request;
    const file = this.open();
    const row = file.lease.get({
      quota: id,
      key: hashOf(key),
      start: startMs,
      end: endMs,
      owed,
      need,
      want,
      limit,
      first: owed + need > limit ? 0 : Math.min(want, limit - owed),
    })!;
    lease.line = row["line"] as number;
    lease.used = row["used"] as number;
    lease.granted = row["granted"] as number;
    if (nowMs - this.sweptMs < SWEEP_INTERVAL_MS) return;
    this.sweptMs = nowMs;
    file.sweep.run(nowMs - KEPT_MS, SWEEP_COUNT);
  }

  settle(line: number, amount: number): void {
    this.open().settle.run(amount, line);
  }

  [Symbol.dispose](): void {
    this.opened?.database.close();
    this.opened = null;
  }

  private open(): OpenFile {
    if (this.opened !== null) return this.opened;
    const database = openSqliteFile(this.path, versions);
    database.exec(`PRAGMA busy_timeout = ${WAITS_MS}`);
    const ended = "SELECT line FROM quotas WHERE end_ms < ? LIMIT ?";
    this.opened = {
      database,
      lease: database.prepare(LEASE),
      settle: database.prepare("UPDATE quotas SET used = max(0, used + ?) WHERE line = ?"),
      sweep: database.prepare(`DELETE FROM quotas WHERE line IN (${ended})`),
    };
    return this.opened;
  }
}

function hashOf(key: string): string {
  return hash("sha256", key, "base64url").slice(0, 22);
}
