import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CachePurge } from "../base/cache/cache-tags.ts";
import type { FindingBatch } from "../base/findings/finding.ts";
import { DeadlineWheel } from "../base/deadline-wheel.ts";
import { type KeptLease, KeptValues } from "../base/kept-values.ts";
import type { Log } from "../base/log/log.ts";
import {
  clientConnections,
  requestDurationSeconds,
  upstreamRequestsTotal,
} from "../base/metrics/families.ts";
import { MetricView } from "../base/metrics/metric-view.ts";
import { monotonicMs, type SharedClock, WheelClock } from "../base/shared-clock.ts";
import { NO_SLOT, SharedCounters } from "../base/shared-counters.ts";
import { SharedRecords } from "../base/shared-records.ts";
import { runInSlices } from "../base/steps.ts";
import { compileInSteps, serverTimeouts } from "../config/compile.ts";
import type { ServiceConfig } from "../config/config.ts";
import { DocumentConsumers } from "../config/document-consumers.ts";
import { importKnownPolicies } from "../config/import-known-policies.ts";
import type { PolicyDefinitions } from "../config/known-policies.ts";
import { importPolicies } from "../config/load/policy-modules.ts";
import { PolicyEnvironments, type PolicyFacilities } from "../config/policy-environments.ts";
import type { Clock } from "../policy/environment.ts";
import type { ConsumerStore } from "../policy/consumers.ts";
import { Overload, type OverloadCounts, type OverloadReadings } from "../proxy/overload.ts";
import { ProxyRuntime } from "../proxy/proxy-runtime.ts";
import { ServiceCalls } from "../proxy/service-calls.ts";
import type { Snapshot } from "../proxy/snapshot.ts";
import { KEY_FILE } from "../stores/sqlite/key-file.ts";
import { StoredConsumers } from "../stores/sqlite/stored-consumers.ts";
import { TargetRegistry } from "../upstream/balance/target-registry.ts";
import type { Target } from "../upstream/balance/target.ts";
import { PoolKeeper } from "../upstream/pool-keeper.ts";
import { ServiceTargets } from "../upstream/service-targets.ts";
import type { TargetPool } from "../upstream/target-pool.ts";
import { onListenerError } from "../wire/handle-transport.ts";
import { ClientSecurity } from "./client-security.ts";
import { ConcurrencyLimits } from "./concurrency-limits.ts";
import { ConnectFailures } from "./connect-failures.ts";
import { ConnectionLimit } from "./connection-limit.ts";
import { inFlightIdentity, serviceIdentity } from "./data-plane-needs.ts";
import type {
  DataPlane,
  DataPlaneContext,
  DataPlanePayload,
  DataPlaneStats,
  Endpoints,
  RevisionResources,
} from "./data-plane.ts";
import { keepRedis } from "./keep-redis.ts";
import { ListenerSet } from "./listener-set.ts";
import { createPolicyFacilities } from "./policy-facilities.ts";
import { overloadCounts } from "./overload-counts.ts";
import { PoolGauges } from "./pool-gauges.ts";
import { ServiceGuards } from "./service-guards.ts";
import { RevisionCaches } from "./revision-caches.ts";
import { noPages, readPages } from "./route-pages.ts";
import { ServiceOutliers } from "./service-outliers.ts";
import { readWorker } from "./worker-readings.ts";

/** One revision as this worker serves it. */
interface Revision {
  number: number;
  payload: DataPlanePayload;
  snapshot: Snapshot;
  /** By name. */
  services: ReadonlyMap<string, ServiceTargets>;
  /** By name of the service. */
  guards: ReadonlyMap<string, ServiceGuards>;
  /** What its policies keep across reloads. */
  kept: KeptLease;
  /** What its policies ask services. */
  calls: ServiceCalls;
  caches: RevisionCaches;
  limits: ConcurrencyLimits;
  overloadCounts: OverloadCounts | null;
}

/** What the test kit puts in place of a worker's own. */
export interface DataPlaneParts {
  /** Moved by whoever brings it. */
  wheel?: DeadlineWheel;
  makeProxy?: (wheel: DeadlineWheel, log: Log) => ProxyRuntime;
  clock?: Clock;
  facilities?: Partial<PolicyFacilities>;
  /** Null for none; the key file of the data folder without this. */
  consumerStore?: ConsumerStore | null;
  /** By the names under which the configuration has them. */
  policies?: PolicyDefinitions;
  poolOf?: (target: Target) => TargetPool;
  makeReadings?: () => OverloadReadings;
}

const DRAIN_POLL_MS = 20;

/** Everything that serves traffic in one worker. */
export class DataPlaneRuntime implements DataPlane {
  private readonly context: DataPlaneContext;
  private readonly wheel: DeadlineWheel;
  private readonly proxy: ProxyRuntime;
  private readonly counters: SharedCounters;
  private readonly records: SharedRecords;
  /** Of what is written into shared memory. */
  private readonly sharedClock: SharedClock;
  private readonly registry: TargetRegistry;
  private readonly pools: PoolKeeper;
  private readonly security: ClientSecurity;
  private readonly gauges: PoolGauges;
  private readonly failures: ConnectFailures;
  private readonly listeners: ListenerSet;
  private readonly limit: ConnectionLimit;
  private readonly overload: Overload;
  private readonly kept: KeptValues;
  private readonly facilities: PolicyFacilities;
  private readonly parts: DataPlaneParts;
  private current: Revision | null;
  private prepared: Revision | null;

  constructor(context: DataPlaneContext, parts: DataPlaneParts = {}) {
    const { shared, workerIndex, log } = context;
    this.context = context;
    this.parts = parts;
    this.wheel = parts.wheel ?? new DeadlineWheel();
    this.proxy = parts.makeProxy?.(this.wheel, log) ?? new ProxyRuntime(this.wheel, log);
    this.counters = new SharedCounters(shared.counters, workerIndex);
    this.records = new SharedRecords(shared.records);
    // A wheel that is moved from outside is all the time there is.
    const aheadMs = parts.wheel === undefined ? monotonicMs() - shared.records.epochMs : 0;
    this.sharedClock = new WheelClock(this.wheel, aheadMs);
    this.registry = new TargetRegistry(this.counters, this.records);
    this.pools = new PoolKeeper(this.wheel);
    this.security = new ClientSecurity();
    this.gauges = new PoolGauges();
    this.failures = new ConnectFailures(log);
    this.limit = new ConnectionLimit(this.counters);
    this.listeners = new ListenerSet(this.wheel, this.proxy, this.limit, context);
    this.kept = new KeptValues();
    this.facilities = { ...createPolicyFacilities(context, parts.clock), ...parts.facilities };
    this.overload = new Overload({
      wheel: this.wheel,
      log,
      random: this.facilities.random,
      makeReadings: parts.makeReadings ?? readWorker,
    });
    this.current = null;
    this.prepared = null;
    if (parts.wheel === undefined) this.wheel.start();
    onListenerError((error) => log.error("a connection failed inside the gateway", { error }));
  }

  async prepare(payload: DataPlanePayload, { accessLog }: RevisionResources): Promise<void> {
    const { shared, workerIndex, log } = this.context;
    const metrics = new MetricView(shared.metrics, workerIndex, payload.metrics);
    const services = new Map<string, ServiceTargets>();
    const guards = new Map<string, ServiceGuards>();
    const kept = this.kept.lease();
    const calls = new ServiceCalls(this.proxy);
    const limits = this.limitsOf(metrics);
    try {
      const { revision, config, routes } = payload;
      const { facilities, caches } = await this.facilitiesOf(payload, kept, metrics);
      const environments = new PolicyEnvironments({
        policies: await this.policiesOf(payload),
        facilities,
        log,
        metrics,
        files: payload.materials,
        kept,
        call: (service, request) => calls.call(service, request),
      });
      const compiling = compileInSteps(config, readPages(routes), {
        revision,
        metrics,
        accessLog,
        random: this.facilities.random,
        policies: environments.policies,
        environmentOf: (policy, place, id) => environments.environmentOf(policy, place, id),
        expression: (text) => environments.expression(text),
        countersOf: (index) => ({
          requests: metrics.counterAt(routes.cells[2 * index]!),
          duration: metrics.histogramAt(requestDurationSeconds, routes.cells[2 * index + 1]!),
        }),
        overload: this.overload,
        recordOf: (name) => this.records.of(payload.counters[serviceIdentity(name)] ?? NO_SLOT),
        guardsOf: (name, { concurrency }) => [
          ...guards.get(name)!.ofService(),
          ...limits.guardsOf(name, concurrency, payload.counters),
        ],
        targetsOf: (name, service) => {
          const own = this.serviceGuards(name, service, payload, metrics);
          guards.set(name, own);
          const targets = this.serviceTargets(name, service, payload, metrics, own);
          services.set(name, targets);
          const urls = service.targets.map(({ url }) => url);
          this.gauges.watch(name, urls, targets, metrics);
          return targets;
        },
      });
      const snapshot = await runInSlices(compiling);
      calls.open(snapshot);
      // Nobody reads them again, and the memory is shared.
      payload.routes = noPages;
      await this.listeners.prepare(payload, (key) => metrics.gauge(clientConnections, [key]));
      this.prepared = {
        number: revision,
        payload,
        snapshot,
        services,
        guards,
        kept,
        calls,
        caches,
        limits,
        overloadCounts: config.overload === false ? null : overloadCounts(metrics),
      };
    } catch (error) {
      this.release({ services, kept, calls });
      throw error;
    }
  }

  private limitsOf(metrics: MetricView): ConcurrencyLimits {
    const { counters, records, sharedClock: clock, wheel } = this;
    return new ConcurrencyLimits(
      { counters, records, clock, wheel, log: this.context.log },
      metrics,
    );
  }

  /** With the revision's Redis, unless a test has brought one. */
  private async facilitiesOf(
    { config, materials, cache }: DataPlanePayload,
    kept: KeptLease,
    metrics: MetricView,
  ): Promise<{ facilities: PolicyFacilities; caches: RevisionCaches }> {
    const consumers = new DocumentConsumers(
      config.consumers,
      materials,
      this.consumerStoreOf(config, kept),
    );
    const { log, workerIndex } = this.context;
    let { redis } = this.facilities;
    if (config.redis !== undefined && this.parts.facilities?.redis === undefined) {
      const shared = await keepRedis(config.redis, { materials, kept, log, metrics });
      redis = () => shared;
    }
    const { clock } = this.facilities;
    const caches = new RevisionCaches({ cache, workerIndex, kept, clock, redis });
    const own = this.parts.facilities?.cache ?? ((kind) => caches.of(kind));
    return { facilities: { ...this.facilities, consumers, redis, cache: own }, caches };
  }

  private consumerStoreOf({ data }: DataPlanePayload["config"], kept: KeptLease) {
    const { consumerStore } = this.parts;
    if (consumerStore !== undefined) return consumerStore;
    const file = join(data, KEY_FILE);
    return kept.keep(`consumers ${file}`, () => new StoredConsumers(file, this.context.log));
  }

  /** Those that the configuration uses, and no others: each costs memory in every worker. */
  private async policiesOf(payload: DataPlanePayload): Promise<PolicyDefinitions> {
    const { policyModules = {}, ownPolicies } = payload;
    const { policies = await importKnownPolicies(ownPolicies) } = this.parts;
    return { ...policies, ...(await importPolicies(policyModules)) };
  }

  private serviceGuards(
    name: string,
    config: ServiceConfig,
    payload: DataPlanePayload,
    metrics: MetricView,
  ): ServiceGuards {
    const { counters, sharedClock: clock } = this;
    return new ServiceGuards(name, config, {
      record: this.records.of(payload.counters[serviceIdentity(name)] ?? NO_SLOT),
      counters,
      slotOf: (identity) => payload.counters[identity] ?? NO_SLOT,
      clock,
      random: this.facilities.random,
      log: this.context.log,
      metrics,
    });
  }

  private serviceTargets(
    name: string,
    config: ServiceConfig,
    payload: DataPlanePayload,
    metrics: MetricView,
    guards: ServiceGuards,
  ): ServiceTargets {
    const { connections, timeout } = config;
    const settings = {
      connectionsMax: connections.max,
      waitingMax: connections.waiting,
      idleMax: connections.idle,
      idleTimeoutMs: connections.idleTimeoutMs,
      connectTimeoutMs: timeout.connectMs,
      pipelining: config.pipelining,
    };
    const watch = this.serviceOutliers(name, config, payload, metrics);
    return new ServiceTargets(
      {
        service: name,
        configured: config.targets,
        balance: config.balance,
        rules: {
          panicShare: config.panic,
          slowStart: config.slowStart ?? null,
          zone: payload.config.zone,
        },
        context: {
          clock: this.wheel,
          sharedClock: this.sharedClock,
          random: this.facilities.random,
        },
        registry: this.registry,
        slotOf: (target) => payload.counters[inFlightIdentity(target)],
        resultsOf: (url) => metrics.counter(upstreamRequestsTotal, [name, url]),
        guardsOf: (target) => guards.ofTarget(target),
        observersOf: (target, count) => watch?.observersOf(target, count) ?? [],
        acquirePool: (target) => {
          if (this.parts.poolOf !== undefined) return this.parts.poolOf(target);
          const secure =
            target.scheme === "https" ? this.security.of(config, payload.materials) : null;
          const identity = {
            target: target.state.identity,
            http2: config.http2,
            settings,
            security: secure === null ? "" : secure.identity,
          };
          return this.pools.acquire(identity, () => ({
            host: target.address,
            port: target.port,
            path: target.socketPath,
            tls: secure === null ? null : () => secure.tls.connectOptions(target.key, target.host),
            onSession:
              secure === null ? null : (session) => secure.tls.keepSession(target.key, session),
            onFailure: (reason) => {
              if (secure !== null) secure.tls.dropSession(target.key);
              this.failures.report(name, target.key, reason);
            },
          }));
        },
        releasePool: (pool) => this.pools.release(pool),
      },
      payload.endpoints,
    );
  }

  private serviceOutliers(
    name: string,
    { outliers }: ServiceConfig,
    { counters }: DataPlanePayload,
    metrics: MetricView,
  ): ServiceOutliers | null {
    if (outliers === null) return null;
    const record = this.records.of(counters[serviceIdentity(name)] ?? NO_SLOT);
    const { sharedClock: clock } = this;
    return new ServiceOutliers(name, outliers, { record, clock, log: this.context.log, metrics });
  }

  commit(revision: number): void {
    const next = this.prepared;
    if (next === null || next.number !== revision) {
      throw new Error(`revision ${revision} was not prepared`);
    }
    const previous = this.current;
    this.prepared = null;
    this.current = next;
    if (previous !== null) {
      previous.snapshot.onUnused = () => {
        this.release(previous);
        this.context.onRetired(previous.number);
      };
    }
    this.proxy.swap(next.snapshot);
    this.overload.follow(next.payload.config.overload, next.overloadCounts);
    this.limit.set(next.payload.config.limits.connections, next.payload.counters);
    const { limits, timeouts } = next.payload.config;
    this.listeners.commit({
      limits: {
        headBytesMax: limits.headBytes,
        uriBytesMax: limits.uriBytes,
        fieldCountMax: limits.headerCount,
      },
      timeouts: serverTimeouts(timeouts),
      connectionRequestsMax: limits.connectionRequests,
    });
  }

  abort(revision: number): void {
    const { prepared } = this;
    if (prepared === null || prepared.number !== revision) return;
    this.prepared = null;
    this.release(prepared);
    this.listeners.abort();
  }

  updateEndpoints(endpoints: Endpoints, counters?: Record<string, number>): void {
    for (const revision of [this.current, this.prepared]) {
      if (revision === null) continue;
      const known = { ...revision.payload.endpoints, ...endpoints };
      revision.payload.endpoints = known;
      if (counters !== undefined) revision.payload.counters = counters;
      for (const targets of revision.services.values()) targets.update(known);
    }
  }

  async drain(deadlineMs: number): Promise<{ cut: number }> {
    const until = performance.now() + deadlineMs;
    this.listeners.drain();
    while (this.isBusy && performance.now() < until) await sleep(DRAIN_POLL_MS);
    const cut = this.inFlight;
    this.listeners.destroy();
    this.overload.follow(false, null);
    return { cut };
  }

  private get isBusy(): boolean {
    return this.inFlight > 0 || this.listeners.hasUnsent;
  }

  private get inFlight(): number {
    return this.proxy.exchangeCount;
  }

  purgeRedis(what: CachePurge): void {
    this.current?.caches.purgeRedis(what);
  }

  takeFindings(): FindingBatch | undefined {
    return this.facilities.tally.take();
  }

  stats(): DataPlaneStats {
    this.gauges.sample();
    this.current?.limits.sample();
    if (this.current !== null) {
      const { guards, services } = this.current;
      for (const [name, own] of guards) own.sample(services.get(name)!.all);
    }
    return { connections: this.listeners.connectionCount, inFlight: this.inFlight };
  }

  /** Gives back what only these named. */
  private release({ services, kept, calls }: Pick<Revision, "services" | "kept" | "calls">): void {
    calls.close();
    for (const [name, targets] of services) {
      this.gauges.forget(name, targets);
      targets.dispose();
    }
    kept.release();
  }
}
