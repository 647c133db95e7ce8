import type { CachePurge } from "../base/cache/cache-tags.ts";
import { placeKey } from "../base/findings/finding.ts";
import { FindingBook } from "../base/findings/finding-book.ts";
import type { ProcessLog } from "../base/log/create-log.ts";
import { ProcessClock, type SharedClock } from "../base/shared-clock.ts";
import { SharedRecords } from "../base/shared-records.ts";
import { describeChanges, isSameConfig } from "../config/diff.ts";
import type { Config } from "../config/config.ts";
import type { LoadedConfig, LoadResult } from "../config/load-config.ts";
import { formatMistake } from "../config/mistake.ts";
import { placeLabel, policyUses } from "../config/policy-uses.ts";
import { ConfigSurroundings } from "./config-surroundings.ts";
import type { DataPlanePayload, Endpoints } from "./data-plane.ts";
import type { OpenEndpoints } from "./endpoint-source.ts";
import { GatewayMetrics, type ReloadResult } from "./gateway-metrics.ts";
import type { AdminDoor, GatewayPhase, GatewayStatus, OpenAdmin } from "./gateway-view.ts";
import { HealthMonitor } from "./health-monitor.ts";
import { HeapTrimmer } from "./heap-trimmer.ts";
import { makePayload } from "./make-payload.ts";
import { assertPortsFree } from "./ports-taken.ts";
import { OutlierSweep } from "./outlier-sweep.ts";
import { Reloader } from "./reloader.ts";
import type { RevisionLease } from "./revision-lease.ts";
import { type BreakersOrder, orderBreakers } from "./service-breakers.ts";
import { serviceStatuses } from "./service-status.ts";
import { SharedState } from "./shared-state.ts";
import { type MovedCounters, Supervisor, type SupervisorTimes } from "./supervisor.ts";
import { WorkerEnded } from "./worker-thread.ts";

/** A worker died while a new configuration was tried: it is tried once more when there is a new worker. */
const RETRY_AFTER_MS = 1000;

export interface GatewaySettings {
  version: string;
  /** The first configuration. */
  loaded: LoadedConfig;
  /** Of its file, taken before it was read. */
  fingerprint: string;
  /** Reads the configuration again. `before` is the one in force, and may be the result. */
  load: (before: LoadedConfig) => Promise<LoadResult>;
  workerCount: number;
  log: ProcessLog;
  openEndpoints: OpenEndpoints;
  openAdmin: OpenAdmin;
  /** URL of a data plane in place of the real one. */
  dataPlaneModule?: string | undefined;
  times?: Partial<SupervisorTimes>;
}

/** The control plane of one gateway: holds the configuration, and makes workers and admin server follow it. */
export class Gateway {
  private readonly settings: GatewaySettings;
  private readonly log: ProcessLog;
  private readonly shared: SharedState;
  private readonly records: SharedRecords;
  private readonly clock: SharedClock;
  private readonly metrics: GatewayMetrics;
  private readonly health: HealthMonitor;
  private readonly outliers: OutlierSweep;
  private readonly supervisor: Supervisor;
  private readonly admin: AdminDoor;
  private readonly surroundings: ConfigSurroundings;
  private readonly reloader: Reloader;
  private readonly trimmer = new HeapTrimmer();
  private readonly findings = new FindingBook();
  private readonly startedAt = new Date().toISOString();
  private findingsSince = this.startedAt;
  private loaded: LoadedConfig;
  private phase: GatewayPhase = "starting";
  /** Of the last configuration that was tried. */
  private lastRevision = 0;
  /** Of the one in force. */
  private revision = 0;
  private lastReload: GatewayStatus["lastReload"] = null;
  /** Of the revision that is being applied. */
  private lease: RevisionLease | undefined;
  /** Of the one in force. */
  private currentLease: RevisionLease | undefined;
  /** Of the revision that is being applied, or was. */
  private materials: LoadedConfig["prepared"] = {};
  /** The configuration that was tried twice, or is about to be. */
  private retried: LoadedConfig | undefined;
  private retryTimer: NodeJS.Timeout | undefined;

  constructor(settings: GatewaySettings) {
    const { log, loaded, workerCount, version, openAdmin, openEndpoints } = settings;
    this.settings = settings;
    this.log = log;
    this.loaded = loaded;
    this.shared = new SharedState(workerCount, log, loaded.config.data);
    this.metrics = new GatewayMetrics(this.shared.registry, version);
    const { registry, memory } = this.shared;
    this.records = new SharedRecords(memory.records);
    this.clock = new ProcessClock(memory.records.epochMs);
    this.outliers = this.makeOutlierSweep();
    this.health = new HealthMonitor({
      records: memory.records,
      registry,
      log,
      onHealthy: (identity) => this.outliers.onHealthy(identity),
    });
    this.supervisor = this.makeSupervisor();
    this.admin = openAdmin({
      metrics: this.shared.registry,
      status: () => this.status(),
      services: () => this.services(),
      findings: () => ({
        since: this.findingsSince,
        operations: this.findings.report(),
        leftOut: this.findings.leftOut,
      }),
      clearFindings: () => this.clearFindings(),
      orderBreakers: (order) => this.orderBreakers(order),
      purgeCache: (what) => this.purgeCache(what),
    });
    this.reloader = new Reloader((reason) => this.reloadNow(reason));
    this.surroundings = new ConfigSurroundings({
      openEndpoints,
      log,
      onFileChange: () => this.reload("a file has changed"),
      onEndpoints: (endpoints) => this.supervisor.updateEndpoints(endpoints),
    });
    this.surroundings.assume(loaded.file, settings.fingerprint);
  }

  /** Resolves when all workers serve. Rejects, with nothing left running, when they cannot. */
  async start(): Promise<void> {
    const { config } = this.loaded;
    const { log } = this;
    let payload: DataPlanePayload;
    try {
      await this.admin.prepare(config.admin);
      this.admin.commit();
      await assertPortsFree(config.listen);
      payload = await this.makePayload(this.loaded);
      await this.supervisor.start(payload);
    } catch (error) {
      await this.close();
      throw error;
    }
    if (this.phase === "starting") this.phase = "serving";
    log.info("serving", {
      listen: config.listen.map(({ key, tls }) => (tls === undefined ? key : `${key} (tls)`)),
      admin: config.admin === false ? false : config.admin.key,
      workers: this.settings.workerCount,
      routes: config.routes.length,
      config: this.loaded.file,
    });
    await this.surroundings.follow(this.loaded, payload.endpoints);
    this.trimmer.schedule();
  }

  /** Reads the configuration again, soon, and once for several calls. */
  reload(reason: string): void {
    if (this.phase === "draining") return;
    this.reloader.request(reason);
  }

  /** Resolves when no reload is under way or due. */
  reloaded(): Promise<void> {
    return this.reloader.idle();
  }

  reopenLogs(): void {
    this.log.info("reopening logs");
    this.supervisor.reopenLogs();
  }

  /** Stops accepting, lets what is in flight finish up to the deadline of the configuration, and ends. */
  async shutDown(): Promise<void> {
    this.phase = "draining";
    this.reloader.close();
    const { shutdownMs } = this.loaded.config.timeouts;
    this.log.info("shutting down", { deadlineMs: shutdownMs });
    const { cut } = await this.supervisor.drain(shutdownMs);
    await this.close();
    if (cut > 0) this.log.warn("stopped before all requests were finished", { cut });
    else this.log.info("stopped");
  }

  /** Ends all at once. */
  async close(): Promise<void> {
    this.phase = "draining";
    this.reloader.close();
    clearTimeout(this.retryTimer);
    this.trimmer.close();
    this.surroundings.close();
    this.health.close();
    this.outliers.close();
    this.metrics.close();
    await Promise.all([this.supervisor.stop(), this.admin.close()]);
    this.shared.save();
  }

  status(): GatewayStatus {
    const { phase, revision, startedAt, lastReload, loaded } = this;
    const { version } = this.settings;
    const workers = this.supervisor.status();
    return { version, phase, revision, startedAt, configFile: loaded.file, lastReload, workers };
  }

  private services() {
    const { currentLease: lease, shared, health, records, clock } = this;
    return lease === undefined ? [] : serviceStatuses({ lease, shared, health, records, clock });
  }

  private orderBreakers(order: BreakersOrder): void {
    const { currentLease: lease, records, clock } = this;
    if (lease === undefined) return;
    orderBreakers(order, { lease, records, clock });
    this.log.warn("breaker set by an operator", { ...order });
  }

  private purgeCache(what: CachePurge): number {
    const responses = this.shared.caches.purge(what);
    this.supervisor.purgeRedis(what);
    this.log.info("stored responses purged", { what, responses });
    return responses;
  }

  private clearFindings(): void {
    this.findings.clear();
    this.findingsSince = new Date().toISOString();
  }

  private async reloadNow(reason: string): Promise<void> {
    this.log.debug("reading the configuration again", { reason });
    const result = await this.tryReload();
    if (this.phase === "draining") return;
    this.lastReload = { at: new Date().toISOString(), result };
    this.metrics.countReload(result);
    this.trimmer.schedule();
  }

  private async tryReload(): Promise<ReloadResult> {
    const { log } = this;
    try {
      const { loaded, mistakes, files } = await this.settings.load(this.loaded);
      for (const mistake of mistakes)
        log[mistake.level === "error" ? "error" : "warn"](formatMistake(mistake));
      if (loaded === undefined) {
        await this.surroundings.alsoWatch(files);
        const count = mistakes.filter(({ level }) => level === "error").length;
        log.error("configuration refused, the one before stays in force", { mistakes: count });
        return "refused";
      }
      if (isSameConfig(this.loaded, loaded)) {
        log.debug("configuration unchanged");
        // Written otherwise, perhaps: from now on that is what need not be read again.
        this.loaded = loaded;
        return "unchanged";
      }
      return await this.apply(loaded);
    } catch (error) {
      log.error("configuration could not be loaded, the one before stays in force", { error });
      return "refused";
    }
  }

  private async apply(loaded: LoadedConfig): Promise<"applied" | "refused"> {
    const { log } = this;
    const { config } = loaded;
    const movesAdmin = !isSameAddress(this.loaded, loaded);
    let payload: DataPlanePayload;
    try {
      if (movesAdmin) await this.admin.prepare(config.admin);
      await assertPortsFree(config.listen, this.loaded.config.listen);
      payload = await this.makePayload(loaded);
      await this.supervisor.apply(payload);
    } catch (error) {
      if (movesAdmin) this.admin.abort();
      this.lease?.release();
      this.lease = undefined;
      this.surroundings.fallBack();
      const { message: reason } = error as Error;
      log.error("configuration refused, the one before stays in force", { reason });
      if (error instanceof WorkerEnded) this.retryOnce(loaded);
      return "refused";
    }
    if (movesAdmin) this.admin.commit();
    this.retried = undefined;
    const changes = describeChanges(this.loaded, loaded);
    this.loaded = loaded;
    this.findings.keepOnly(placesOf(config));
    log.configure(config.log);
    log.info("configuration applied", { revision: this.revision, changes });
    this.warnOfRestart();
    await this.surroundings.follow(loaded, payload.endpoints);
    return "applied";
  }

  /** A worker that died of something else, just then, must not be the end of a good configuration. */
  private retryOnce(loaded: LoadedConfig): void {
    if (this.retried !== undefined && isSameConfig(this.retried, loaded)) return;
    this.retried = loaded;
    clearTimeout(this.retryTimer);
    const again = (): void => this.reload("a worker ended during the last try");
    this.retryTimer = setTimeout(again, RETRY_AFTER_MS);
  }

  private async makePayload(loaded: LoadedConfig): Promise<DataPlanePayload> {
    const endpoints = await this.surroundings.resolve(loaded);
    this.lastRevision += 1;
    this.lease = this.shared.lease(loaded.config, endpoints, loaded.policies);
    this.materials = loaded.prepared;
    return makePayload(this.lastRevision, loaded, endpoints, this.lease);
  }

  private onCommit(revision: number): void {
    const lease = this.lease!;
    this.lease = undefined;
    this.currentLease = lease;
    this.revision = revision;
    this.health.follow(lease, this.materials);
    this.outliers.follow(lease);
    const serving = this.supervisor.status().filter(({ state }) => state === "serving");
    this.shared.leases.begin(
      revision,
      () => lease.release(),
      serving.map(({ index }) => index),
    );
    this.metrics.setRevision(revision);
  }

  private onEndpoints(endpoints: Endpoints): MovedCounters {
    const lease = this.currentLease!;
    const settle = lease.move(endpoints);
    this.health.follow(lease);
    this.outliers.follow(lease);
    return { counters: lease.counters, settle };
  }

  private warnOfRestart(): void {
    const { workers, data } = this.loaded.config;
    const { workerCount, loaded } = this.settings;
    const { data: serving } = loaded.config;
    if (data !== serving) {
      this.log.warn("a change of `data` needs a restart for quotas", { serving, configured: data });
    }
    if (workers === "auto" || workers === workerCount) return;
    this.log.warn("a change of `workers` needs a restart", {
      serving: workerCount,
      configured: workers,
    });
  }

  private makeOutlierSweep(): OutlierSweep {
    const { registry, memory } = this.shared;
    const { clock, log } = this;
    const sweep = new OutlierSweep({ records: memory.records, registry, clock, log });
    sweep.start();
    return sweep;
  }

  private makeSupervisor(): Supervisor {
    const { log, shared } = this;
    const { workerCount, dataPlaneModule, times = {} } = this.settings;
    const { registry, board, writeTurns, memory, leases } = shared;
    return new Supervisor({
      worker: {
        workerCount,
        shared: memory,
        metricIndex: registry.lease([]).index,
        board: board.buffer,
        writeTurns,
        dataPlaneModule,
      },
      board,
      log,
      onLog: ({ level, message, fields }) => log.write(level, message, fields),
      onFindings: (batch) => this.findings.add(batch),
      onCommit: (revision) => this.onCommit(revision),
      onEndpoints: (endpoints) => this.onEndpoints(endpoints),
      onRetired: (worker, revision) => leases.retired(worker, revision),
      onGone: (worker) => shared.clearWorker(worker),
      onRestart: () => this.metrics.countRestart(),
      times,
    });
  }
}

/** Where policies may have found something. */
function placesOf(config: Config): Set<string> {
  const places = new Set<string>();
  for (const { name, place } of policyUses(config)) places.add(placeKey(name, placeLabel(place)));
  return places;
}

function isSameAddress(before: LoadedConfig, after: LoadedConfig): boolean {
  const [one, other] = [before.config.admin, after.config.admin];
  if (one === false || other === false) return one === other;
  return one.key === other.key;
}
