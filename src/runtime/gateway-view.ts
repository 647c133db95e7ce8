import type { CachePurge } from "../base/cache/cache-tags.ts";
import type { FindingReport } from "../base/findings/finding-book.ts";
import type { MetricRegistry } from "../base/metrics/metric-registry.ts";
import type { AdminConfig } from "../config/config.ts";
import type { BreakersOrder } from "./service-breakers.ts";
import type { ServiceStatus } from "./service-status.ts";
import type { WorkerStatus } from "./supervisor.ts";

/** `starting` until all workers serve for the first time; `draining` from the order to end on. */
export type GatewayPhase = "starting" | "serving" | "draining";

export interface GatewayStatus {
  version: string;
  phase: GatewayPhase;
  /** Of the configuration in force; 0 before the first. */
  revision: number;
  /** RFC 3339. */
  startedAt: string;
  /** Absolute path of the document. */
  configFile: string;
  /** How the last attempt to load the configuration ended; null when there was none but the first. */
  lastReload: { at: string; result: "applied" | "unchanged" | "refused" } | null;
  workers: WorkerStatus[];
}

/** What policies have found to be wrong with messages, in all workers. */
export interface FindingsStatus {
  /** RFC 3339: when counting began, with the start or when all was forgotten. */
  since: string;
  operations: FindingReport[];
  /** Findings of operations that there was no room for. */
  leftOut: number;
}

/** What the admin server may know of the gateway. */
export interface GatewayView {
  readonly metrics: MetricRegistry;
  status(): GatewayStatus;
  /** Of the configuration in force; none before the first. */
  services(): ServiceStatus[];
  /** Some half a second old. */
  findings(): FindingsStatus;
  clearFindings(): void;
  /** Sets breakers of a service that has some, for all workers at once. */
  orderBreakers(order: BreakersOrder): void;
  /**
   * Forgets stored responses: those in memory before it returns, those in Redis soon.
   *
   * @returns how many there were in memory
   */
  purgeCache(what: CachePurge): number;
}

/** The admin server as the control plane moves it from one address to another, or to none. */
export interface AdminDoor {
  /** Listens where `config` says, beside where it listens now. Rejects with a readable error. */
  prepare(config: AdminConfig | false): Promise<void>;
  /** Gives up the address before. */
  commit(): void;
  /** Gives up the address prepared. */
  abort(): void;
  close(): Promise<void>;
}

export type OpenAdmin = (view: GatewayView) => AdminDoor;
