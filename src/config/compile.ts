/**
 * compile: a validated configuration becomes a snapshot, in each worker. Nothing that is current is
 * touched; what fails is thrown and the old snapshot goes on serving.
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
import type { Counter, MetricView } from "../base/metrics/metric-view.ts";
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
import { parsePathPattern } from "../routing/path-pattern.ts";
import { compileRedirect, compileRewrite } from "../routing/rewrite.ts";
import { compileRoutes } from "../routing/route-table.ts";
import type { Config, PolicyUse, RouteConfig, ServiceConfig, TimeoutsConfig } from "./config.ts";

/** What outlives a snapshot, and what this one is to use of it. */
export interface CompileContext {
  revision: number;
  metrics: MetricView;
  accessLog: AccessLog | null;
  /** Targets, pools and balancer of a service; disposed with the snapshot. */
  targetsOf(name: string, service: ServiceConfig): ServiceTargets;
}

/** Label of what no route or service answered for. */
const NO_NAME = "";

const HOST_MODES = { preserve: HOST_PRESERVE, target: HOST_TARGET, literal: HOST_LITERAL };

/** Deadlines of a route that no service answers. */
const NO_TIMEOUTS: UpstreamTimeouts = {
  connectMs: 0,
  requestMs: 0,
  responseMs: 0,
  idleMs: 0,
  totalMs: 0,
};

/** @throws Error when the configuration cannot be used; validation should have told so before. */
export function compileSnapshot(config: Config, context: CompileContext): Snapshot {
  const { metrics } = context;
  const services = new Map<string, CompiledService>();
  for (const [name, service] of Object.entries(config.services)) {
    services.set(name, compileService(name, service, context));
  }
  const rules = config.routes.map((route) => ({
    value: compileRoute(route, config, services, metrics),
    name: route.name,
    match: route.match,
  }));
  const { matcher, problems } = compileRoutes(rules);
  if (problems.length > 0) throw new Error(problems[0]!.message);
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

function compileRoute(
  route: RouteConfig,
  config: Config,
  services: ReadonlyMap<string, CompiledService>,
  metrics: MetricView,
): CompiledRoute {
  const { handler } = route;
  const pattern = parsePathPattern(route.match.path);
  const name = handler.kind === "service" ? handler.service : NO_NAME;
  const service = services.get(name) ?? null;
  const serviceConfig = config.services[name];
  const uses = [...config.policies, ...(serviceConfig?.policies ?? []), ...route.policies];
  return {
    name: route.name,
    handler:
      handler.kind === "service"
        ? HANDLE_SERVICE
        : handler.kind === "redirect"
          ? HANDLE_REDIRECT
          : HANDLE_RESPOND,
    service,
    rewrite: route.rewrite === undefined ? null : compileRewrite(route.rewrite, pattern),
    redirect:
      handler.kind === "redirect"
        ? {
            status: handler.status,
            to: compileRedirect(handler.to, pattern),
            keepsQuery: !handler.to.includes("?"),
          }
        : null,
    respond:
      handler.kind === "respond"
        ? { status: handler.status, headers: handler.headers, body: Buffer.from(handler.body) }
        : null,
    timeouts:
      service === null
        ? NO_TIMEOUTS
        : {
            ...service.timeouts,
            ...(route.timeout.responseMs === undefined
              ? {}
              : { responseMs: route.timeout.responseMs }),
            ...(route.timeout.totalMs === undefined ? {} : { totalMs: route.timeout.totalMs }),
          },
    ...compilePolicies(uses, route.name),
    requests: metrics.counter(requestsTotal, [route.name, name]),
    duration: metrics.histogram(requestDurationSeconds, [route.name]),
  };
}

/** Flat lists of hooks: requests meet the policies in order, responses in reverse. */
function compilePolicies(
  uses: readonly PolicyUse[],
  routeName: string,
): Pick<CompiledRoute, "onRequest" | "onResponse" | "onEnd"> {
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
