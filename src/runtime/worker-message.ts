import type { CachePurge } from "../base/cache/cache-tags.ts";
import type { FindingBatch } from "../base/findings/finding.ts";
import type { LogFields, LogLevel } from "../base/log/log.ts";
import type { DataPlanePayload, Endpoints } from "./data-plane.ts";

/** What the main thread says to a worker, in order; each prepare is followed by a commit or an abort. */
export type MessageToWorker =
  | { type: "prepare"; payload: DataPlanePayload }
  | { type: "commit"; revision: number }
  | { type: "abort"; revision: number }
  | { type: "endpoints"; endpoints: Endpoints; counters: Record<string, number> }
  | { type: "reopenLogs" }
  | { type: "purgeRedis"; what: CachePurge }
  | { type: "drain"; deadlineMs: number };

/** What a worker says to the main thread. */
export type MessageFromWorker =
  /** Loaded, and ready to be given a revision. */
  | { type: "online" }
  | { type: "prepared"; revision: number }
  /** `error` is a plain copy of what the data plane threw. */
  | { type: "refused"; revision: number; error: unknown }
  | { type: "committed"; revision: number }
  | { type: "retired"; revision: number }
  /** No new request goes to an address that is gone. */
  | { type: "endpointsTaken" }
  | { type: "drained"; cut: number }
  /** What policies have found since it last said so. */
  | { type: "findings"; batch: FindingBatch }
  | WorkerLogEntry;

/** An entry of a worker's log, already of a level that is written. */
export interface WorkerLogEntry {
  type: "log";
  level: Exclude<LogLevel, "silent">;
  message: string;
  fields: LogFields;
}
