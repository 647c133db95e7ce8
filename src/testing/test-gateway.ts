import { type SharedClock, WheelClock } from "../base/shared-clock.ts";
import { DeadlineWheel } from "../base/deadline-wheel.ts";
import type { FindingGroup } from "../base/findings/finding.ts";
import { type Log, logTo, type LogFields } from "../base/log/log.ts";
import { Random } from "../base/random.ts";
import { renderExposition } from "../base/metrics/exposition.ts";
import type { Config } from "../config/config.ts";
import { knownPolicies, type PolicyDefinitions } from "../config/known-policies.ts";
import type { PolicyDefinition } from "../policy/policy.ts";
import { DataPlaneRuntime } from "../runtime/data-plane-runtime.ts";
import { HealthMonitor } from "../runtime/health-monitor.ts";
import { targetHostNames } from "../runtime/endpoint-source.ts";
import { makePayload } from "../runtime/make-payload.ts";
import { OutlierSweep } from "../runtime/outlier-sweep.ts";
import type { RevisionLease } from "../runtime/revision-lease.ts";
import { SharedState } from "../runtime/shared-state.ts";
import type { Target } from "../upstream/balance/target.ts";
import { failed, PASSED, type Probe } from "../upstream/health/probe.ts";
import type { HeadLimits } from "../wire/http1/parse-request-head.ts";
import type { FakeService, ServiceCall } from "./fake-service.ts";
import { FakeRedisStore } from "./fake-redis-store.ts";
import { MemoryClient } from "./memory-client.ts";
import { MemoryPool } from "./memory-pool.ts";
import { ObservingProxy, type ObservedExchange } from "./observing-proxy.ts";
import type { PreparedBody } from "./test-body.ts";
import { TestClock } from "./test-clock.ts";
import { readTestDocument, type TestDocument } from "./test-document.ts";
import { TestOutbound } from "./test-outbound.ts";
import { connectionOf, readTestRequest, type TestRequest } from "./test-request.ts";
import type { TestResponse } from "./test-response.ts";

type Checks = (url: string) => boolean | Promise<boolean>;

/** What a gateway under test has around it. */
export interface TestGatewaySettings {
  /** By name; one that is left out answers 200 with an empty body. */
  services?: Readonly<Record<string, FakeService>>;
  /** Whether connections to a target can be made, by its URL; default: to all. */
  isReachable?: (url: string) => boolean;
  /**
   * Whether a check of a target's health passes, by its URL, for services with `health`; one that is not settled runs
   * into the timeout of the check. Default: no target is checked.
   */
  checks?: Checks;
  /** Policies of one's own: a list, or by the names under which the document has them (`./geo.ts`). */
  policies?: readonly PolicyDefinition[] | PolicyDefinitions;
  clock?: TestClock;
  /** Where the sequence of what is left to chance begins; default 1. */
  seed?: number;
  /** Variables for `${NAME}` in the document. */
  environment?: Readonly<Record<string, string>>;
  /** Contents of files that the document names, by path as it is written. */
  files?: Readonly<Record<string, string>>;
  /** Answers what policies ask servers that are no services of the document. */
  outbound?: TestOutbound;
  /** In place of the document's Redis. */
  redis?: FakeRedisStore;
  /** What the worker sees of itself, for `overload`; may be changed as the test goes on. Default: at ease. */
  load?: WorkerLoad;
}

/** How long a worker's events wait, and how much of its memory is used, from 0 to 1. */
export interface WorkerLoad {
  eventLoopMs: number;
  memoryShare: number;
}

export interface TestLogEntry extends LogFields {
  level: string;
  message: string;
}

/** A request under way. */
export interface TestExchange {
  response: Promise<TestResponse>;
  /** Resolves when the response's head has come. */
  head: Promise<Pick<TestResponse, "status" | "headers">>;
  /** What of the response's body has come so far. */
  readonly bodySoFar: string;
  /** The client goes away. */
  leave(): void;
}

/**
 * A gateway in this process: the document is checked and compiled as by a worker, requests take the whole way
 * through routing, policies and balancing; sockets, threads and time are the test's. Make it with `testGateway`.
 */
export class TestGateway {
  readonly clock: TestClock;
  readonly outbound: TestOutbound;
  readonly redis: FakeRedisStore;
  /** What services were asked, in order. */
  readonly calls: ServiceCall[] = [];
  /** What the gateway had to say. */
  readonly log: TestLogEntry[] = [];
  private readonly settings: TestGatewaySettings;
  private readonly policies: PolicyDefinitions;
  private readonly shared: SharedState;
  private readonly dataPlane: DataPlaneRuntime;
  private readonly outliers: OutlierSweep;
  private readonly health: HealthMonitor | undefined;
  private readonly proxy: ObservingProxy;
  private readonly leases = new Map<number, RevisionLease>();
  private limits: HeadLimits = { headBytesMax: 0, uriBytesMax: 0, fieldCountMax: 0 };
  private revision = 0;
  /** What functions of the test threw. */
  private readonly errors: Error[] = [];

  /** @internal See `testGateway`. */
  constructor(settings: TestGatewaySettings) {
    const { clock = new TestClock(), policies = {} } = settings;
    this.settings = settings;
    this.clock = clock;
    this.outbound = settings.outbound ?? new TestOutbound();
    this.redis = settings.redis ?? new FakeRedisStore(clock);
    this.policies = { ...knownPolicies, ...byName(policies) };
    const log = logTo((level, message, fields) => this.log.push({ level, message, ...fields }));
    const startedAtMs = clock.now();
    const wheel = new DeadlineWheel(undefined, () => clock.now() - startedAtMs);
    clock.onStep(() => wheel.advance());
    this.proxy = new ObservingProxy(wheel, log, clock);
    this.shared = new SharedState(1, log);
    const { registry, memory } = this.shared;
    const sharedClock = new WheelClock(wheel, 0);
    this.outliers = new OutlierSweep({
      records: memory.records,
      registry,
      clock: sharedClock,
      log,
    });
    clock.onStep(() => this.outliers.sweep());
    if (settings.checks !== undefined)
      this.health = this.makeHealth(settings.checks, sharedClock, log);
    this.dataPlane = new DataPlaneRuntime(
      {
        workerIndex: 0,
        workerCount: 1,
        shared: this.shared.memory,
        log,
        onRetired: (revision) => this.retire(revision),
      },
      {
        wheel,
        clock,
        makeProxy: () => this.proxy,
        facilities: {
          random: new Random(settings.seed ?? 1),
          redis: () => this.redis,
          fetch: this.outbound.fetch,
        },
        consumerStore: null,
        makeReadings: () => ({
          eventLoopMs: () => settings.load?.eventLoopMs ?? 0,
          memoryShare: () => settings.load?.memoryShare ?? 0,
          stop() {},
        }),
        policies: this.policies,
        poolOf: (target) => this.poolOf(target),
      },
    );
  }

  /** Takes another configuration over, as the gateway does when its file changes. @throws ConfigRefused */
  async reload(document: TestDocument): Promise<void> {
    const { environment = {}, files = {} } = this.settings;
    const { policies } = this;
    const loaded = await readTestDocument(document, { policies, environment, files });
    const { config } = loaded;
    const revision = ++this.revision;
    const endpoints = endpointsOf(config);
    const lease = this.shared.lease(config, endpoints, policies);
    this.health?.follow(lease, {});
    try {
      const payload = makePayload(revision, loaded, endpoints, lease);
      await this.dataPlane.prepare(payload, { accessLog: null });
    } catch (error) {
      lease.release();
      throw error;
    }
    this.leases.set(revision, lease);
    this.dataPlane.commit(revision);
    this.outliers.follow(lease);
    const { headBytes, uriBytes, headerCount } = config.limits;
    this.limits = { headBytesMax: headBytes, uriBytesMax: uriBytes, fieldCountMax: headerCount };
  }

  /**
   * Sends a request and waits for the whole response. Where the response waits for time, begin with `start` and
   * move the clock.
   */
  async request(request: TestRequest = {}): Promise<TestResponse> {
    const response = await this.start(request).response;
    this.assertNoErrors();
    return response;
  }

  /** Sends a request; several may be under way at once. */
  start(request: TestRequest = {}): TestExchange {
    const { protocol = "HTTP/1.1" } = request;
    const client = new MemoryClient(
      connectionOf(request),
      protocol === "HTTP/2" ? "HTTP/2.0" : protocol,
    );
    const exchange = this.proxy.acquire();
    exchange.client = client;
    const { refusal, body } = readTestRequest(request, exchange.request, this.limits);
    if (refusal !== 0) this.proxy.refuse(exchange, client, refusal);
    else void this.send(exchange, client, body);
    return {
      response: client.response,
      head: client.head,
      get bodySoFar() {
        return Buffer.concat(client.pieces).toString();
      },
      leave: () => leave(exchange, client),
    };
  }

  /** What one service was asked, in order; all of them without a name. */
  callsTo(service: string): ServiceCall[] {
    return this.calls.filter((call) => call.service === service);
  }

  /** What policies have found since the last time, as the main thread is told; none for nothing. */
  takeFindings(): readonly FindingGroup[] {
    return this.dataPlane.takeFindings()?.groups ?? [];
  }

  /** The sum of a metric's series that have these labels; 0 when there is none. Counters end in `_total`. */
  metric(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels).map(
      ([label, value]) => `${label}=${JSON.stringify(value)}`,
    );
    let sum = 0;
    for (const line of renderExposition(this.shared.registry.collect(), "prometheus").split("\n")) {
      const [, series = "", value] = /^([^ ]+(?:\{.*\})?) ([^ ]+)$/.exec(line) ?? [];
      if (series !== name && !series.startsWith(`${name}{`)) continue;
      if (wanted.every((label) => series.includes(label))) sum += Number(value);
    }
    return sum;
  }

  /** Fails when a function of the test, such as a service's, has thrown. */
  assertNoErrors(): void {
    const error = this.errors.shift();
    if (error !== undefined) throw error;
  }

  /** Lets all go. What is under way is cut off. */
  async close(): Promise<void> {
    this.health?.close();
    await this.dataPlane.drain(0);
    for (const revision of this.leases.keys()) this.retire(revision);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async send(
    exchange: ObservedExchange,
    client: MemoryClient,
    { bytes, pieces }: PreparedBody,
  ): Promise<void> {
    const hasBody = exchange.request.hasBody;
    exchange.onRequest(client, hasBody);
    if (!hasBody) return;
    try {
      if (bytes !== null) sendPiece(bytes);
      for await (const piece of pieces ?? []) {
        await client.whenReadable();
        sendPiece(Buffer.from(piece as Uint8Array));
      }
    } catch {
      // Pieces that throw are a client that breaks off.
      leave(exchange, client);
      return;
    }
    if (!client.isOver) exchange.onRequestEnd(null);

    function sendPiece(piece: Buffer): void {
      if (!client.isOver) exchange.onRequestBody(piece, 0, piece.length);
    }
  }

  private makeHealth(passes: Checks, sharedClock: SharedClock, log: Log): HealthMonitor {
    const { clock, settings, outliers } = this;
    const { registry, memory } = this.shared;
    return new HealthMonitor({
      records: memory.records,
      registry,
      log,
      clock: {
        get nowMs() {
          return clock.now();
        },
        after: (delayMs, run) => clock.after(delayMs, run),
      },
      sharedClock,
      random: new Random(settings.seed ?? 1),
      onHealthy: (identity) => outliers.onHealthy(identity),
      probeOf: (_, { url }) => probeBy(() => passes(url), clock),
    });
  }

  private poolOf(target: Target): MemoryPool {
    return new MemoryPool({
      target,
      serviceOf: () => this.serviceAt(target),
      onCall: (call) => this.calls.push(call),
      onError: (error) => this.errors.push(error),
    });
  }

  private serviceAt({ service, url }: Target): FakeService {
    const { services, isReachable } = this.settings;
    if (isReachable?.(url) === false) return "down";
    return services?.[service] ?? (() => undefined);
  }

  private retire(revision: number): void {
    this.leases.get(revision)?.release();
    this.leases.delete(revision);
  }
}

/** A gateway with that configuration. Close it, or declare it with `await using`. @throws ConfigRefused */
export async function testGateway(
  document: TestDocument,
  settings: TestGatewaySettings = {},
): Promise<TestGateway> {
  const gateway = new TestGateway(settings);
  await gateway.reload(document);
  return gateway;
}

function leave(exchange: ObservedExchange, client: MemoryClient): void {
  if (client.isOver) return;
  client.finish(true);
  exchange.onClientGone();
}

/** Every name has one address: nothing connects to it. */
function endpointsOf(config: Config): Record<string, string[]> {
  return Object.fromEntries(targetHostNames(config).map((name) => [name, ["192.0.2.80"]]));
}

/** What is known at once is told with the clock's next step; a promise, whenever it is kept. */
function probeBy(passes: () => boolean | Promise<boolean>, clock: TestClock): Probe {
  return (done) => {
    let isWanted = true;
    const tell = (passed: boolean): void => {
      if (isWanted) done(passed ? PASSED : failed("unexpected", "the test says so"));
    };
    const said = passes();
    if (typeof said === "boolean") clock.after(0, () => tell(said));
    else void said.then(tell);
    return () => (isWanted = false);
  };
}

function byName(policies: readonly PolicyDefinition[] | PolicyDefinitions): PolicyDefinitions {
  if (!Array.isArray(policies)) return policies as PolicyDefinitions;
  return Object.fromEntries(policies.map((policy: PolicyDefinition) => [policy.name, policy]));
}
