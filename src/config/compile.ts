/**
 * compile: a validated configuration becomes a snapshot, in each worker and in steps, because the worker serves
 * meanwhile. Nothing that is current is touched; what fails is thrown and the old snapshot goes on serving.
 */
import type { AccessLog } from "../base/log/access-log.ts";
import {
  bytesTotal,
  faultsTotal,
  inFlightRequests,
  requestDurationSeconds,
  requestsTotal,
  retriesTotal,
} from "../base/metrics/families.ts";
import type { Counter, Histogram, MetricView } from "../base/metrics/metric-view.ts";
import { finishSteps, type Steps } from "../base/steps.ts";
import { TrustedAddresses } from "../base/trusted-addresses.ts";
import { policies } from "../policies/index.ts";
import type { PolicyHooks } from "../policy/policy.ts";
import { RetryBudget } from "../upstream/retry-budget.ts";
import type { ServiceTargets } from "../upstream/service-targets.ts";
import {
  HANDLE_REDIRECT,
  HANDLE_RESPOND,
  HANDLE_SERVICE,
  HOST_LITERAL,
  HOST_PRESERVE,
  HOST_TARGET,
} from "../proxy/snapshot.ts";
import type {
  CompiledRoute,
  CompiledService,
  Snapshot,
  UpstreamTimeouts,
} from "../proxy/snapshot.ts";
import type { Matcher } from "../routing/matcher.ts";
import { parsePathPattern } from "../routing/path-pattern.ts";
import { compileRedirect, compileRewrite } from "../routing/rewrite.ts";
import { RouteTableBuilder } from "../routing/route-table.ts";
import type { Config, PolicyUse, RouteConfig, ServiceConfig, TimeoutsConfig } from "./config.ts";

/** What outlives a snapshot, and what this one is to use of it. */
export interface CompileContext {
  revision: number;
  metrics: MetricView;
  accessLog: AccessLog | null;
  /** What requests of the route at that index are counted in; found by name without this. */
  countersOf?: (index: number) => RouteCounters;
  /** Targets, pools and balancer of a service; disposed with the snapshot. */
  targetsOf(name: string, service: ServiceConfig): ServiceTargets;
}

export interface RouteCounters {
  requests: Counter;
  duration: Histogram;
}

/** Label of what no route or service answered for. */
const NO_NAME = "";

const HANDLERS = { service: HANDLE_SERVICE, redirect: HANDLE_REDIRECT, respond: HANDLE_RESPOND };
const HOST_MODES = { preserve: HOST_PRESERVE, target: HOST_TARGET, literal: HOST_LITERAL };

/** Deadlines of a route that no service answers. */
const NO_TIMEOUTS: UpstreamTimeouts = {
  connectMs: 0,
  requestMs: 0,
  responseMs: 0,
  idleMs: 0,
  totalMs: 0,
};

/** Compiles all at once. @throws Error when the configuration cannot be used; validation should have told so before. */
export function compileSnapshot(config: Config, context: CompileContext): Snapshot {
  return finishSteps(compileInSteps(config, [config.routes], context));
}

/** @param pages of routes, in order. @throws as `compileSnapshot` does. */
export function* compileInSteps(
  config: Omit<Config, "routes">,
  pages: Iterable<readonly RouteConfig[]>,
  context: CompileContext,
): Steps<Snapshot> {
  const { metrics } = context;
  const services = new Map<string, CompiledService>();
  for (const [name, service] of Object.entries(config.services)) {
    services.set(name, compileService(name, service, context));
    yield;
  }
  const matcher = yield* compileRoutes(config, pages, services, context);
  const { mode } = config.forwarded;
  const faultCounters = new Map<string, Counter>();
  return {
    revision: context.revision,
    matcher,
    trusted: new TrustedAddresses(config.trustedProxies),
    sendsXForwarded: mode === "x-forwarded" || mode === "both",
    sendsForwarded: mode === "forwarded" || mode === "both",
    sendsVia: config.via,
    bodyBytesMax: config.limits.bodyBytes,
    tunnelIdleMs: config.timeouts.tunnelMs,
    accessLog: context.accessLog,
    unmatchedRequests: metrics.counter(requestsTotal, [NO_NAME, NO_NAME]),
    unmatchedDuration: metrics.histogram(requestDurationSeconds, [NO_NAME]),
    inFlight: metrics.gauge(inFlightRequests, []),
    faultCounter(type) {
      let counter = faultCounters.get(type);
      if (counter === undefined) {
        counter = metrics.counter(faultsTotal, [type]);
        faultCounters.set(type, counter);
      }
      return counter;
    },
    exchangeCount: 0,
    onUnused: null,
  };
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
    timeouts: { ...config.timeout },
    retryAttempts: config.retry.attempts,
    retryBudget: new RetryBudget(config.retry.budget),
    hostMode: HOST_MODES[config.host.mode],
    hostLiteral: config.host.value,
    pathPrefix: config.path,
    rawPath: config.rawPath,
    isHttp2: config.http2,
    bytes: metrics.counter(bytesTotal, [name]),
    retries: metrics.counter(retriesTotal, [name]),
  };
  targets.onChange = (balancer) => {
    service.balancer = balancer;
  };
  return service;
}

function* compileRoutes(
  config: Omit<Config, "routes">,
  pages: Iterable<readonly RouteConfig[]>,
  services: ReadonlyMap<string, CompiledService>,
  context: CompileContext,
): Steps<Matcher<CompiledRoute>> {
  const { metrics, countersOf } = context;
  const table = new RouteTableBuilder<CompiledRoute>();
  let index = 0;
  for (const page of pages) {
    for (const route of page) {
      const counters = countersOf?.(index++) ?? findCounters(route, metrics);
      const value = compileRoute(route, config, services, counters);
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

function compileRoute(
  { name, match, handler, rewrite, policies: own, timeout }: RouteConfig,
  config: Omit<Config, "routes">,
  services: ReadonlyMap<string, CompiledService>,
  { requests, duration }: RouteCounters,
): CompiledRoute {
  const serviceName = handler.kind === "service" ? handler.service : NO_NAME;
  const service = services.get(serviceName) ?? null;
  const shared = config.services[serviceName]?.policies ?? [];
  const hooks = compilePolicies([...config.policies, ...shared, ...own], name);
  // Field by field, without spreading: there are thousands, and each request looks into one.
  return {
    name,
    handler: HANDLERS[handler.kind],
    service,
    rewrite: rewrite === undefined ? null : compileRewrite(rewrite, parsePathPattern(match.path)),
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
    timeouts: service === null ? NO_TIMEOUTS : compileTimeouts(service.timeouts, timeout),
    onRequest: hooks.onRequest,
    onResponse: hooks.onResponse,
    onEnd: hooks.onEnd,
    requests,
    duration,
  };
}

/** The service's own object unless the route has something to say: most have not. */
function compileTimeouts(
  service: UpstreamTimeouts,
  { responseMs, totalMs }: RouteConfig["timeout"],
): UpstreamTimeouts {
  if (responseMs === undefined && totalMs === undefined) return service;
  return {
    ...service,
    responseMs: responseMs ?? service.responseMs,
    totalMs: totalMs ?? service.totalMs,
  };
}

type RouteHooks = Pick<CompiledRoute, "onRequest" | "onResponse" | "onEnd">;

const NO_HOOKS: RouteHooks = { onRequest: [], onResponse: [], onEnd: [] };

/** Flat lists of hooks: requests meet the policies in order, responses in reverse. */
function compilePolicies(uses: readonly PolicyUse[], routeName: string): RouteHooks {
  if (uses.length === 0) return NO_HOOKS;
  const compiled = uses.map(({ name, options }): PolicyHooks => {
    const policy = policies[name];
    if (policy === undefined) throw new Error(`no policy named "${name}"`);
    return policy.compile(options, { routeName });
  });
  const reversed = compiled.toReversed();
  const defined = <Hook>(hook: Hook | undefined): Hook[] => (hook === undefined ? [] : [hook]);
  return {
    onRequest: compiled.flatMap((hooks) => defined(hooks.onRequest)),
    onResponse: reversed.flatMap((hooks) => defined(hooks.onResponse)),
    onEnd: reversed.flatMap((hooks) => defined(hooks.onEnd)),
  };
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
