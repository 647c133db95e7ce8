/**
 * compile: a validated configuration becomes a snapshot, in each worker and in steps, because the worker serves
 * meanwhile. Nothing that is current is touched; what fails is thrown and the old snapshot goes on serving.
 */
import type { AccessLog } from "../base/log/access-log.ts";
import {
  bytesTotal,
  faultsTotal,
  grpcResponsesTotal,
  hedgesTotal,
  undeclaredFault,
  inFlightRequests,
  requestDurationSeconds,
  requestsTotal,
  retriesForgoneTotal,
  retriesTotal,
} from "../base/metrics/families.ts";
import type { Counter, Histogram, MetricView } from "../base/metrics/metric-view.ts";
import type { Random } from "../base/random.ts";
import { PRIORITIES } from "../base/priorities.ts";
import { finishSteps, type Steps } from "../base/steps.ts";
import { TrustedAddresses } from "../base/trusted-addresses.ts";
import { RetryBudget } from "../upstream/retry/retry-budget.ts";
import { RetryPolicy } from "../upstream/retry/retry-policy.ts";
import type { Guard } from "../upstream/guard.ts";
import type { ServiceTargets } from "../upstream/service-targets.ts";
import {
  HANDLE_REDIRECT,
  HANDLE_RESPOND,
  HANDLE_SERVICE,
  HANDLE_SPLIT,
  HOST_LITERAL,
  HOST_PRESERVE,
  HOST_TARGET,
} from "../proxy/snapshot.ts";
import type {
  CompiledHooks,
  CompiledRoute,
  CompiledService,
  Destination,
  Snapshot,
} from "../proxy/snapshot.ts";
import type { Overload } from "../proxy/overload.ts";
import type { Matcher } from "../routing/matcher.ts";
import { parsePathPattern } from "../routing/path-pattern.ts";
import { compileRedirect } from "../routing/rewrite.ts";
import { RouteTableBuilder } from "../routing/route-table.ts";
import { compileDestination, compileHedge } from "./compile-destination.ts";
import { compileCallers, compileIdentityHeaders } from "./compile-callers.ts";
import { compilePolicies, joinHooks, NO_HOOKS, type PolicyContext } from "./compile-policies.ts";
import { FallbackCompiler } from "./compile-fallback.ts";
import { SplitCompiler, type SplitService } from "./compile-split.ts";
import { servicesOf } from "./schema/handler.ts";
import type { Config, RouteConfig, ServiceConfig, TimeoutsConfig } from "./config.ts";

/** What outlives a snapshot, and what this one is to use of it. */
export interface CompileContext extends PolicyContext {
  revision: number;
  metrics: MetricView;
  accessLog: AccessLog | null;
  random: Random;
  /** What requests of the route at that index are counted in; found by name without this. */
  countersOf?: (index: number) => RouteCounters;
  /** What all threads know together of a service, see `upstream/target-record.ts`. */
  recordOf(service: string): Int32Array;
  /** Refuses requests where the configuration says so. */
  overload: Overload;
  /** What may refuse tries to a service, in the order in which it is asked. */
  guardsOf(name: string, service: ServiceConfig): readonly Guard[];
  /** Targets, pools and balancer of a service; disposed with the snapshot. */
  targetsOf(name: string, service: ServiceConfig): ServiceTargets;
}

export interface RouteCounters {
  requests: Counter;
  duration: Histogram;
}

/** Label of what no route or service answered for. */
const NO_NAME = "";

const HANDLERS = {
  service: HANDLE_SERVICE,
  split: HANDLE_SPLIT,
  redirect: HANDLE_REDIRECT,
  respond: HANDLE_RESPOND,
};
const HOST_MODES = { preserve: HOST_PRESERVE, target: HOST_TARGET, literal: HOST_LITERAL };

/** Compiles all at once. @throws Error when the configuration cannot be used; validation should have told so before. */
export function compileSnapshot(config: Config, context: CompileContext): Snapshot {
  return finishSteps(compileInSteps(config, [config.routes], context));
}

/** @param pages of routes, in order. @throws as `compileSnapshot` does. */
export function* compileInSteps(
  config: Omit<Config, "routes">,
  pages: Iterable<readonly RouteConfig[]>,
  given: CompileContext,
): Steps<Snapshot> {
  const { metrics } = given;
  const { context, seen } = watched(given);
  const shared = compilePolicies(config.policies, { kind: "gateway", name: "" }, context);
  const services = new Map<string, CompiledService>();
  const answering = new Map<string, ServiceOfRoutes>();
  for (const [name, service] of Object.entries(config.services)) {
    const own = compilePolicies(service.policies, { kind: "service", name }, context);
    const hooks = joinHooks(shared, own);
    const compiled = compileService(name, service, context);
    services.set(name, compiled);
    const destination = {
      service: compiled,
      timeouts: compiled.timeouts,
      rewrite: null,
      retry: compiled.retry,
      hedge: compiled.hedge,
      hooks: null,
      requests: null,
      fallback: null,
    };
    answering.set(name, { destination, own, hooks });
    yield;
  }
  answering.set(NO_NAME, { destination: null, own: NO_HOOKS, hooks: shared });
  const fallbacks = new FallbackCompiler(config.services, answering, context);
  const matcher = yield* compileRoutes(pages, answering, fallbacks, context);
  const callers = compileCallers(config, context);
  const { mode } = config.forwarded;
  const faultCounters = new Map<string, Counter>();
  return {
    revision: context.revision,
    matcher,
    services,
    trusted: new TrustedAddresses(config.trustedProxies),
    sendsXForwarded: mode === "x-forwarded" || mode === "both",
    sendsForwarded: mode === "forwarded" || mode === "both",
    sendsVia: config.via,
    bodyBytesMax: config.limits.bodyBytes,
    tunnelIdleMs: config.timeouts.tunnelMs,
    accessLog: context.accessLog,
    overload: config.overload === false ? null : context.overload,
    callers: seen.identity ? callers : null,
    identityHeaders:
      seen.identity && config.identity !== false ? compileIdentityHeaders(config.identity) : null,
    unmatchedRequests: metrics.counter(requestsTotal, [NO_NAME, NO_NAME]),
    unmatchedDuration: metrics.histogram(requestDurationSeconds, [NO_NAME]),
    inFlight: metrics.gauge(inFlightRequests, []),
    faultCounter(type) {
      let counter = faultCounters.get(type);
      if (counter === undefined) {
        counter = metrics.counter(faultsTotal, [
          metrics.has(faultsTotal, [type]) ? type : undeclaredFault,
        ]);
        faultCounters.set(type, counter);
      }
      return counter;
    },
    exchangeCount: 0,
    onUnused: null,
  };
}

/** Where no policy finds out who is calling, requests need not be looked at for it. */
function watched(given: CompileContext): { context: CompileContext; seen: { identity: boolean } } {
  const seen = { identity: false };
  const context: CompileContext = {
    ...given,
    environmentOf(policy, place, id) {
      if (policy.provides?.includes("identity") === true) seen.identity = true;
      return given.environmentOf(policy, place, id);
    },
  };
  return { context, seen };
}

function compileService(
  name: string,
  config: ServiceConfig,
  context: CompileContext,
): CompiledService {
  const { metrics } = context;
  const targets = context.targetsOf(name, config);
  const service: CompiledService = {
    name,
    balancer: targets.balancer,
    record: context.recordOf(name),
    guards: context.guardsOf(name, config),
    timeouts: { ...config.timeout },
    retry: new RetryPolicy(config.retry),
    hedge: compileHedge(config.hedge),
    retryBudget: new RetryBudget(config.retry.budget),
    hostMode: HOST_MODES[config.host.mode],
    hostLiteral: config.host.value,
    pathPrefix: config.path,
    rawPath: config.rawPath,
    isHttp2: config.http2,
    bytes: metrics.counter(bytesTotal, [name]),
    retries: metrics.counter(retriesTotal, [name]),
    retriesForgone: metrics.counter(retriesForgoneTotal, [name]),
    hedges: metrics.counter(hedgesTotal, [name]),
    grpcResponses: config.http2 ? metrics.counter(grpcResponsesTotal, [name]) : null,
  };
  targets.onChange = (balancer) => {
    service.balancer = balancer;
  };
  return service;
}

/** What all routes to one service have in common; the service is null where none answers. */
interface ServiceOfRoutes extends SplitService {
  /** Of routes that say nothing else. */
  destination: Destination | null;
  /** Of the gateway and of the service. */
  hooks: CompiledHooks;
}

function* compileRoutes(
  pages: Iterable<readonly RouteConfig[]>,
  services: ReadonlyMap<string, ServiceOfRoutes>,
  fallbacks: FallbackCompiler,
  context: CompileContext,
): Steps<Matcher<CompiledRoute>> {
  const { metrics, countersOf } = context;
  const table = new RouteTableBuilder<CompiledRoute>();
  const splits = new SplitCompiler(services, fallbacks, context);
  let index = 0;
  for (const page of pages) {
    for (const route of page) {
      const counters = countersOf?.(index++) ?? findCounters(route, metrics);
      const value = compileRoute(route, services, { splits, fallbacks }, counters, context);
      table.add({ value, name: route.name, match: route.match });
    }
    yield;
  }
  const [problem] = table.unusable;
  if (problem !== undefined) throw new Error(problem.message);
  return yield* table.build();
}

function findCounters({ name, handler }: RouteConfig, metrics: MetricView): RouteCounters {
  const service = handler.kind === "service" ? handler.service : NO_NAME;
  return {
    requests: metrics.counter(requestsTotal, [name, service]),
    duration: metrics.histogram(requestDurationSeconds, [name]),
  };
}

interface RouteCompilers {
  splits: SplitCompiler;
  fallbacks: FallbackCompiler;
}

function compileRoute(
  route: RouteConfig,
  services: ReadonlyMap<string, ServiceOfRoutes>,
  { splits, fallbacks }: RouteCompilers,
  { requests, duration }: RouteCounters,
  context: CompileContext,
): CompiledRoute {
  const { name, match, handler, policies } = route;
  const given = services.get(handler.kind === "service" ? handler.service : NO_NAME)!;
  const { destination } = given;
  const hooks = hooksBefore(route, given, services, fallbacks);
  const own = compilePolicies(policies, { kind: "route", name }, context);
  const joined = joinHooks(hooks, own);
  const split = handler.kind === "split" ? splits.compile(route, handler) : null;
  // Field by field, without spreading: there are thousands, and each request looks into one.
  return {
    name,
    handler: HANDLERS[handler.kind],
    destination:
      destination && fallbacks.withFallback(route, compileDestination(destination, route)),
    split,
    rawPath: servicesOf(handler).some(
      (service) => services.get(service)!.destination!.service.rawPath,
    ),
    priority: PRIORITIES.indexOf(route.priority),
    redirect:
      handler.kind === "redirect"
        ? {
            status: handler.status,
            to: compileRedirect(handler.to, parsePathPattern(match.path)),
            keepsQuery: !handler.to.includes("?"),
          }
        : null,
    respond:
      handler.kind === "respond"
        ? { status: handler.status, headers: handler.headers, body: Buffer.from(handler.body) }
        : null,
    hooks: handler.kind === "split" ? withPreflights(joined, splits.preflightsOf(handler)) : joined,
    requests,
    duration,
  };
}

/** Of the gateway and of the service, where there is one. */
function hooksBefore(
  route: RouteConfig,
  { destination, hooks }: ServiceOfRoutes,
  services: ReadonlyMap<string, ServiceOfRoutes>,
  fallbacks: FallbackCompiler,
): CompiledHooks {
  const name = destination === null ? NO_NAME : destination.service.name;
  if (name === NO_NAME || fallbacks.changesOf(route, name) === null) return hooks;
  return joinHooks(services.get(NO_NAME)!.hooks, fallbacks.ownHooks(route, name));
}

/** Policies of the services are asked before those of the route, as they are behind them. */
function withPreflights(hooks: CompiledHooks, more: CompiledHooks["onPreflight"]): CompiledHooks {
  return more.length === 0 ? hooks : { ...hooks, onPreflight: [...more, ...hooks.onPreflight] };
}

/** Timeouts of clients as listeners want them. */
export function serverTimeouts(timeouts: TimeoutsConfig) {
  return {
    headMs: timeouts.headMs,
    idleMs: timeouts.idleMs,
    bodyMs: timeouts.bodyMs,
    writeMs: timeouts.writeMs,
  };
}
