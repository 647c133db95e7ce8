import type { MetricLease, MetricListLease } from "../base/metrics/metric-registry.ts";
import type { MetricIndex } from "../base/metrics/metric-view.ts";
import type { SlotLease, SlotTable } from "../base/slot-table.ts";
import type { Config } from "../config/config.ts";
import type { CacheLease, LeasedCache } from "./cache-memories.ts";
import { counterIdentities } from "./data-plane-needs.ts";
import type { Endpoints } from "./data-plane.ts";

/** What a revision counts in, as the addresses of its targets come and go. */
export class RevisionLease {
  readonly metrics: MetricIndex;
  /** Two for each route, as `routeMetricChildren` lists them. */
  readonly routeCells: Int32Array;
  /** Absent where the revision needs none. */
  readonly cache: LeasedCache | undefined;
  readonly config: Config;
  private readonly table: SlotTable;
  private readonly releaseRest: () => void;
  /** Addresses of the names in it now. */
  endpoints: Endpoints;
  private held: SlotLease;

  constructor(
    config: Config,
    endpoints: Endpoints,
    table: SlotTable,
    parts: { metrics: MetricLease; routes: MetricListLease; cache?: CacheLease },
  ) {
    const { metrics, routes, cache } = parts;
    this.config = config;
    this.table = table;
    this.metrics = metrics.index;
    this.routeCells = routes.cells;
    this.cache = cache?.cache;
    this.releaseRest = () => {
      metrics.release();
      routes.release();
      cache?.release();
    };
    this.endpoints = endpoints;
    this.held = table.lease(counterIdentities(config, endpoints));
  }

  /** Slot of each identity. */
  get counters(): Record<string, number> {
    return this.held.slots;
  }

  /**
   * Finds room for targets at other addresses. What only those before need is given back by the returned
   * function: to be called when no worker begins a request to them any more. What is in flight then keeps
   * its slot from being given out until it has ended.
   */
  move(endpoints: Endpoints): () => void {
    const before = this.held;
    this.endpoints = { ...this.endpoints, ...endpoints };
    this.held = this.table.lease(counterIdentities(this.config, this.endpoints));
    return () => before.release();
  }

  release(): void {
    this.held.release();
    this.releaseRest();
  }
}
