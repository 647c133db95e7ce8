import { randomBytes } from "node:crypto";
import { LimitsMemory } from "../base/limits/limits-memory.ts";
import type { Log } from "../base/log/log.ts";
import { gatewardFamilies, limitEvictionsTotal } from "../base/metrics/families.ts";
import { MetricRegistry } from "../base/metrics/metric-registry.ts";
import { monotonicMs } from "../base/shared-clock.ts";
import { NO_SLOT } from "../base/shared-counters.ts";
import { allocateRecords, clearRecord, type SharedRecordsHandle } from "../base/shared-records.ts";
import { SlotTable } from "../base/slot-table.ts";
import type { Config } from "../config/config.ts";
import type { PolicyDefinitions } from "../config/known-policies.ts";
import { metricChildren, routeMetricChildren } from "./data-plane-needs.ts";
import type { Endpoints, SharedMemory } from "./data-plane.ts";
import { ticketKeysBytes } from "../wire/tls/tls-server-options.ts";
import { CacheMemories } from "./cache-memories.ts";
import { LeaseBook } from "./lease-book.ts";
import { QuotaStore } from "./quota-store.ts";
import { RevisionLease } from "./revision-lease.ts";
import { WorkerBoard } from "./worker-board.ts";

/** The main thread's side of all memory that threads share, allocated once for a number of workers. */
export class SharedState {
  readonly registry: MetricRegistry;
  readonly board: WorkerBoard;
  readonly writeTurns: SharedArrayBuffer;
  readonly leases = new LeaseBook();
  readonly caches: CacheMemories;
  private readonly ticketKeys = randomBytes(ticketKeysBytes);
  private readonly counters: SlotTable;
  private readonly records: SharedRecordsHandle;
  private readonly limits: LimitsMemory;
  private readonly quotas: QuotaStore;

  /** @param dataFolder where quotas last, for as long as the process lives; "" for nowhere. */
  constructor(workers: number, log: Log, dataFolder = "") {
    this.counters = new SlotTable({
      rows: workers,
      onTake: (slot) => clearRecord(this.records, slot),
      onFull: (slots) => log.warn("too many targets to count exactly", { slots }),
    });
    this.records = allocateRecords(this.counters.handle.slots, monotonicMs());
    this.registry = new MetricRegistry({
      families: gatewardFamilies,
      workers,
      onOverflow: ({ name }) =>
        log.warn("too many label values, the rest is counted as other", { name }),
    });
    this.limits = new LimitsMemory({ workers });
    this.registry.compute(limitEvictionsTotal, () => this.limits.evictions);
    this.caches = new CacheMemories(workers, this.registry);
    this.quotas = new QuotaStore(dataFolder, log);
    this.board = WorkerBoard.allocate(workers);
    this.writeTurns = new SharedArrayBuffer(workers * 4);
  }

  /** What workers open. */
  get memory(): SharedMemory {
    const { counters, records, registry, limits, quotas, ticketKeys } = this;
    return {
      counters: counters.handle,
      records,
      metrics: registry.handle,
      limits: limits.handle,
      quotas: quotas.handle,
      ticketKeys,
    };
  }

  /**
   * Finds room for what a config counts; to be released, or handed to `leases`.
   * @param endpoints addresses of the names in it.
   */
  lease(
    config: Config,
    endpoints: Endpoints = {},
    policies: PolicyDefinitions = {},
  ): RevisionLease {
    const metrics = this.registry.lease(metricChildren(config, policies));
    const routes = this.registry.leaseList(routeMetricChildren(config));
    const cache = this.caches.lease(config);
    return new RevisionLease(config, endpoints, this.counters, { metrics, routes, cache });
  }

  /** Requests in flight of all workers, in a slot of a lease. */
  inFlight(slot: number): number {
    return slot === NO_SLOT ? 0 : this.counters.load(slot);
  }

  /** Takes back what a worker held when it ended. To be called before another gets its row. */
  clearWorker(worker: number): void {
    this.counters.clearRow(worker);
    this.limits.clearWorker(worker);
    this.quotas.clearWorker(worker);
    this.caches.clearWorker(worker);
    this.registry.clearRow(worker);
    this.board.clear(worker);
    Atomics.store(new Int32Array(this.writeTurns), worker, 0);
    this.leases.gone(worker);
  }

  /** Writes down what is to outlast the process. To be called when all workers have ended. */
  save(): void {
    this.quotas.save();
  }
}
