import type { CachePurge } from "../base/cache/cache-tags.ts";
import type { FindingBatch } from "../base/findings/finding.ts";
import type { LimitsHandle } from "../base/limits/limits-memory.ts";
import type { AccessLog } from "../base/log/access-log.ts";
import type { Log } from "../base/log/log.ts";
import type { MetricIndex, MetricsHandle } from "../base/metrics/metric-view.ts";
import type { SharedCountersHandle } from "../base/shared-counters.ts";
import type { SharedRecordsHandle } from "../base/shared-records.ts";
import type { Config } from "../config/config.ts";
import type { LeasedCache } from "./cache-memories.ts";
import type { QuotaStoreHandle } from "./quota-store.ts";
import type { RoutePages } from "./route-pages.ts";

/** The addresses of each host name that targets are written with. A name that does not resolve has none. */
export type Endpoints = Record<string, string[]>;

/** There may be ten thousand routes, so they go another way. */
export type ConfigBesideRoutes = Omit<Config, "routes">;

/** One revision of everything a worker needs: plain data, made by the main thread, cloned to each worker. */
export interface DataPlanePayload {
  /** Rises with each one that is tried. */
  revision: number;
  config: ConfigBesideRoutes;
  routes: RoutePages;
  /** Content of the files the config names, by path as it is written there, or by `contentKey`. */
  materials: Record<string, string>;
  /** URLs of the modules of the user's policies, by name; absent without any. */
  policyModules?: Record<string, string> | undefined;
  /** Names of the gateway's own policies that are used, also by routes. */
  ownPolicies: string[];
  endpoints: Endpoints;
  /** Slot in the shared counters of each identity from `counterIdentities`. */
  counters: Record<string, number>;
  /** Cells of each metric child from `metricChildren`, and of all families without labels; not of routes. */
  metrics: MetricIndex;
  /** Absent where nothing is cached in memory. */
  cache?: LeasedCache | undefined;
}

/** Memory that all threads share; lives as long as the process. */
export interface SharedMemory {
  counters: SharedCountersHandle;
  /** What is known of targets and services, by the slots of the counters. */
  records: SharedRecordsHandle;
  metrics: MetricsHandle;
  /** What policies count by key. */
  limits: LimitsHandle;
  quotas: QuotaStoreHandle;
  /** 48 bytes that protect TLS session tickets: one worker resumes what another began. */
  ticketKeys: Uint8Array;
}

export interface DataPlaneContext {
  /** From 0; also the row of this worker in the shared memory. */
  workerIndex: number;
  workerCount: number;
  shared: SharedMemory;
  /** Goes to the main thread; entries beyond some hundred a second are dropped and counted. */
  log: Log;
  /**
   * To be called once for each committed revision, when a later one is current and nothing in flight uses it
   * any more: its counters and metrics are then given back.
   */
  onRetired: (revision: number) => void;
}

/** What is opened for a revision beside its payload. */
export interface RevisionResources {
  /** Where each exchange that began with this revision is written when it ends; null when the log is off. */
  accessLog: AccessLog | null;
}

export interface DataPlaneStats {
  /** Open connections of clients. */
  connections: number;
  /** Exchanges and tunnels under way. */
  inFlight: number;
}

/** Everything that serves traffic in one worker: listeners, wire, routing, proxy. */
export interface DataPlane {
  /**
   * Compiles the payload, while requests are served, and binds listeners that are new, without accepting yet.
   * Rejects with a readable error, and then nothing has changed. At most one revision is prepared at a time.
   */
  prepare(payload: DataPlanePayload, resources: RevisionResources): Promise<void>;
  /** Makes the prepared revision current: one assignment; starts new listeners, stops removed ones. */
  commit(revision: number): void;
  /** Forgets the prepared revision. No-op when `prepare` has rejected. */
  abort(revision: number): void;
  /**
   * Names have other addresses now; the revision stays. Names that no target has are to be ignored. Once it
   * has returned, no new request goes to an address that is gone.
   * @param counters in place of those in the payload; without them those hold on.
   */
  updateEndpoints(endpoints: Endpoints, counters?: Record<string, number>): void;
  /**
   * Stops accepting and tells clients to go (`Connection: close`, GOAWAY). Resolves when nothing is in
   * flight, at the latest after `deadlineMs`, with how many exchanges and tunnels were cut.
   */
  drain(deadlineMs: number): Promise<{ cut: number }>;
  stats(): DataPlaneStats;
  /** What policies have found since the last time; undefined for nothing. */
  takeFindings?(): FindingBatch | undefined;
  /** Forgets stored responses that the current revision has in Redis. */
  purgeRedis?(what: CachePurge): void;
}

export type CreateDataPlane = (context: DataPlaneContext) => DataPlane;

/** The module a worker loads has this shape. */
export interface DataPlaneModule {
  createDataPlane: CreateDataPlane;
}
