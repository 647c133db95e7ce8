/** quota-store: what threads share of quotas, in memory and in a file. */
import { join } from "node:path";
import { MemoryLedger } from "../base/limits/memory-ledger.ts";
import { QuotaMemory } from "../base/limits/quota-memory.ts";
import { SharedQuotaTable, type QuotaTableHandle } from "../base/limits/shared-quota-table.ts";
import type { Log } from "../base/log/log.ts";
import { QUOTA_FILE, QuotaFile } from "../stores/sqlite/quota-file.ts";

/** What a worker opens; goes through `workerData`. */
export interface QuotaStoreHandle {
  readonly table: QuotaTableHandle;
  /** "": nothing lasts, and only one thread counts. */
  readonly file: string;
}

/** A disk that is full is told of so often. */
const LOG_INTERVAL_MS = 10_000;

/** The main thread's side. */
export class QuotaStore {
  readonly handle: QuotaStoreHandle;
  private readonly memory: QuotaMemory;
  private readonly log: Log;

  /** @param folder where the file is kept, for as long as the process lives; "" for none. */
  constructor(folder: string, log: Log) {
    this.memory = new QuotaMemory();
    this.handle = {
      table: this.memory.handle,
      file: folder === "" ? "" : join(folder, QUOTA_FILE),
    };
    this.log = log;
  }

  /** Frees what a dead worker held. Call after its thread has ended, before another gets its number. */
  clearWorker(worker: number): void {
    this.memory.clearWorker(worker);
  }

  /** Writes down what has been used, to the unit; when no worker counts any more. */
  save(): void {
    const { file } = this.handle;
    if (file === "") return;
    const ledger = new QuotaFile(file);
    // No worker has this number: there are at most 512.
    tableOn(this.handle, MAIN_THREAD, ledger, this.log).settleAll(Date.now());
    ledger[Symbol.dispose]();
  }
}

const MAIN_THREAD = 512;

/** @param worker from 0. */
export function openQuotas(handle: QuotaStoreHandle, worker: number, log: Log): SharedQuotaTable {
  const { file } = handle;
  return tableOn(handle, worker, file === "" ? new MemoryLedger() : new QuotaFile(file), log);
}

function tableOn(
  { table, file }: QuotaStoreHandle,
  worker: number,
  ledger: MemoryLedger | QuotaFile,
  log: Log,
): SharedQuotaTable {
  let toldMs = -Infinity;
  return new SharedQuotaTable(table, worker + 1, ledger, (error) => {
    const nowMs = performance.now();
    if (nowMs - toldMs < LOG_INTERVAL_MS) return;
    toldMs = nowMs;
    const { message: reason } = error as Error;
    log.error("quotas are counted in memory only: their file fails", { file, reason });
  });
}
