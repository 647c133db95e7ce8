/**
 * families: every metric of the gateway itself. A released name, label or bucket keeps its meaning.
 * What is counted per request is counted by the worker that serves it; the rest by the main thread.
 */
import { defineCounter, defineGauge, defineHistogram, defineInfo } from "./metric-family.ts";
import type { MetricFamily } from "./metric-family.ts";
import { PRIORITIES } from "../priorities.ts";

/**
 * Upper bounds in seconds. A gateway adds well under a millisecond, so the buckets follow what
 * services take: three each for what feels instant, quick and slow, and one for what nears a timeout.
 */
const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];

export const requestsTotal = defineCounter({
  name: "gateward_requests_total",
  help: "Requests answered, by route, service and class of the status sent to the client.",
  labels: ["route", "service"],
  fixed: { label: "status_class", values: ["1xx", "2xx", "3xx", "4xx", "5xx"] },
});

/** Position of a status in `requestsTotal`. A final status below 200 can only be 101. */
export function statusClass(status: number): number {
  const index = ((status / 100) | 0) - 1;
  return index < 0 ? 0 : index > 4 ? 4 : index;
}

export const splitRequestsTotal = defineCounter({
  name: "gateward_split_requests_total",
  help: "Requests that a split sent one of its ways, by route and branch.",
  labels: ["route", "branch"],
});

export const fallbacksTotal = defineCounter({
  name: "gateward_fallbacks_total",
  help: "Steps of fallbacks that were taken because a service failed, by that service and kind of step.",
  labels: ["service", "step"],
});

export const requestDurationSeconds = defineHistogram({
  name: "gateward_request_duration_seconds",
  help: "Time from the whole request head received to the last byte of the response handed over.",
  unit: "seconds",
  labels: ["route"],
  bounds: durationBounds,
});

/** Positions in `upstreamRequestsTotal`. */
export const upstreamResult = {
  /** Answered with a status below 500. */
  ok: 0,
  /** Answered with a status of 500 or above. */
  serverError: 1,
  /** No connection could be had. */
  connect: 2,
  timeout: 3,
  /** The connection broke, or what came was not HTTP. */
  broken: 4,
  /** The client left first. */
  cancelled: 5,
  /** No connection came free in time, or too many were waiting for one: nothing was asked of the target. */
  full: 6,
} as const;

export const upstreamRequestsTotal = defineCounter({
  name: "gateward_upstream_requests_total",
  help: "Requests sent to a target, retries included, by how they ended.",
  labels: ["service", "target"],
  fixed: {
    label: "result",
    values: ["ok", "server_error", "connect", "timeout", "broken", "cancelled", "full"],
  },
});

/** Positions in `targetEjectionsTotal`. */
export const ejectionReason = {
  consecutive5xx: 0,
  consecutiveGateway: 1,
  consecutiveLocal: 2,
  successRate: 3,
  failures: 4,
  slow: 5,
} as const;

/** What they are called. */
export const ejectionReasons = [
  "consecutive_5xx",
  "consecutive_gateway",
  "consecutive_local",
  "success_rate",
  "failures",
  "slow",
] as const;

export const targetEjectionsTotal = defineCounter({
  name: "gateward_target_ejections_total",
  help: "Times that a target was left out as an outlier, by reason.",
  labels: ["service", "target"],
  fixed: { label: "reason", values: ejectionReasons },
});

export const targetEjected = defineGauge({
  name: "gateward_target_ejected",
  help: "Addresses of a target that are left out as outliers now.",
  labels: ["service", "target"],
});

/** Positions in `upstreamConnections`. */
export const connectionState = { active: 0, idle: 1 } as const;

export const upstreamConnections = defineGauge({
  name: "gateward_upstream_connections",
  help: "Open connections to a target.",
  labels: ["service", "target"],
  fixed: { label: "state", values: ["active", "idle"] },
});

export const targetHealthy = defineGauge({
  name: "gateward_target_healthy",
  help: "Addresses of a target that active checks do not hold for down.",
  labels: ["service", "target"],
});

/** Positions in `healthChecksTotal`. */
export const checkResult = {
  passed: 0,
  /** No connection could be had, TLS included. */
  connect: 1,
  timeout: 2,
  /** The connection broke, or what came was not of the protocol. */
  broken: 3,
  /** An answer, but not the one that is expected. */
  unexpected: 4,
} as const;

export const healthChecksTotal = defineCounter({
  name: "gateward_health_checks_total",
  help: "Active checks of a target, by how they ended.",
  labels: ["service", "target"],
  fixed: { label: "result", values: ["passed", "connect", "timeout", "broken", "unexpected"] },
});

export const clientConnections = defineGauge({
  name: "gateward_client_connections",
  help: "Open connections of clients.",
  labels: ["listener"],
});

export const inFlightRequests = defineGauge({
  name: "gateward_in_flight_requests",
  help: "Requests whose response is not yet complete, tunnels included.",
});

/** Positions in `bytesTotal`. */
export const direction = { request: 0, response: 1 } as const;

export const bytesTotal = defineCounter({
  name: "gateward_bytes_total",
  help: "Body bytes passed on, towards the service (request) and towards the client (response).",
  unit: "bytes",
  labels: ["service"],
  fixed: { label: "direction", values: ["request", "response"] },
});

export const faultsTotal = defineCounter({
  name: "gateward_faults_total",
  help: "Faults answered or logged by the gateway, by the name of their problem type.",
  labels: ["type"],
});

/** Value of the label `type` for faults that their policy does not declare. */
export const undeclaredFault = "undeclared";

/** Positions in `retriesTotal`. */
export const retryReason = { connect: 0, refused: 1, reset: 2, timeout: 3, status: 4 } as const;

export const retriesTotal = defineCounter({
  name: "gateward_retries_total",
  help: "Requests sent to a service again after a failed try, by how that failed.",
  labels: ["service"],
  fixed: { label: "reason", values: ["connect", "refused", "reset", "timeout", "status"] },
});

/** Positions in `retriesForgoneTotal`. */
export const forgone = { budget: 0, unsafe: 1, body: 2, time: 3, target: 4, asked: 5 } as const;

export const retriesForgoneTotal = defineCounter({
  name: "gateward_retries_forgone_total",
  help: "Retries and hedges that were due and not made, by what stood against them.",
  labels: ["service"],
  fixed: { label: "reason", values: ["budget", "unsafe", "body", "time", "target", "asked"] },
});

/** Positions in `hedgesTotal`. */
export const hedgeResult = { won: 0, lost: 1, failed: 2 } as const;

export const hedgesTotal = defineCounter({
  name: "gateward_hedges_total",
  help: "Second tries beside a first that took long: which answered first, or that they failed.",
  labels: ["service"],
  fixed: { label: "result", values: ["won", "lost", "failed"] },
});

/** Of gRPC, by number. */
export const grpcStatuses = [
  "ok",
  "cancelled",
  "unknown",
  "invalid-argument",
  "deadline-exceeded",
  "not-found",
  "already-exists",
  "permission-denied",
  "resource-exhausted",
  "failed-precondition",
  "aborted",
  "out-of-range",
  "unimplemented",
  "internal",
  "unavailable",
  "data-loss",
  "unauthenticated",
] as const;

export const grpcResponsesTotal = defineCounter({
  name: "gateward_grpc_responses_total",
  help: "Responses of a service that clients got, by the status of gRPC in their head or trailers.",
  labels: ["service"],
  fixed: { label: "status", values: grpcStatuses },
});

export const serviceConcurrencyLimit = defineGauge({
  name: "gateward_service_concurrency_limit",
  help: "Requests that may be under way to a service, as its adaptive limit has it now.",
  labels: ["service"],
  aggregate: "max",
});

/** Values of the label `reason` of `shedRequestsTotal`. */
export const shedReason = {
  /** A service's adaptive limit. */
  concurrency: "concurrency",
  /** Events of the worker wait for too long. */
  eventLoop: "event-loop",
  memory: "memory",
} as const;

export const shedRequestsTotal = defineCounter({
  name: "gateward_shed_requests_total",
  help: "Requests refused because a service, or without one the gateway, had as much as it can do.",
  labels: ["service", "reason"],
  fixed: { label: "priority", values: PRIORITIES },
});

/** Values: 0 closed, 1 half open, 2 open. */
export const breakerState = defineGauge({
  name: "gateward_breaker_state",
  help: "What a circuit breaker does: 0 lets all pass, 1 a few trials, 2 none. No target: of the service.",
  labels: ["service", "target"],
  aggregate: "max",
});

export const breakerTransitionsTotal = defineCounter({
  name: "gateward_breaker_transitions_total",
  help: "Changes of a circuit breaker by what happened to requests, by what it became.",
  labels: ["service", "target"],
  fixed: { label: "to", values: ["closed", "half_open", "open"] },
});

export const breakerRefusalsTotal = defineCounter({
  name: "gateward_breaker_refusals_total",
  help: "Tries that a circuit breaker did not let pass.",
  labels: ["service", "target"],
});

export const inFlightRefusalsTotal = defineCounter({
  name: "gateward_in_flight_refusals_total",
  help: "Tries refused because too many were in flight. No target: to the service.",
  labels: ["service", "target"],
});

export const overloadPressure = defineGauge({
  name: "gateward_overload_pressure",
  help: "From 0 to 1, how much of the requests is to be refused, on the worker where that is most.",
  aggregate: "max",
});

export const policyResultsTotal = defineCounter({
  name: "gateward_policy_results_total",
  help: "What policies decided, by policy and by the place where it is written.",
  labels: ["policy", "at", "result"],
});

export const redisConnected = defineGauge({
  name: "gateward_redis_connected_workers",
  help: "Workers that have a connection to Redis; the others do without it for now.",
});

/** Positions in `redisCallsTotal`. */
export const redisResult = {
  ok: 0,
  /** There was no connection, or it broke. */
  away: 1,
  timeout: 2,
  /** Answered with an error. */
  refused: 3,
} as const;

export const redisCallsTotal = defineCounter({
  name: "gateward_redis_calls_total",
  help: "Commands to Redis, by how they ended.",
  fixed: { label: "result", values: ["ok", "away", "timeout", "refused"] },
});

export const limitEvictionsTotal = defineCounter({
  name: "gateward_limit_evictions_total",
  help: "Keys of limits that were forgotten, for want of room, while they still counted.",
});

export const cacheBytes = defineGauge({
  name: "gateward_cache_bytes",
  help: "Memory that stored responses take, in whole blocks.",
  unit: "bytes",
});

export const cacheEntries = defineGauge({
  name: "gateward_cache_entries",
  help: "Stored responses in memory.",
});

export const cacheLimitBytes = defineGauge({
  name: "gateward_cache_limit_bytes",
  help: "What gateward_cache_bytes cannot exceed.",
  unit: "bytes",
});

export const cacheLimitEntries = defineGauge({
  name: "gateward_cache_limit_entries",
  help: "What gateward_cache_entries cannot exceed.",
});

export const cacheRefusalsTotal = defineCounter({
  name: "gateward_cache_refusals_total",
  help: "Responses that memory did not take: too large for it, or others were being stored.",
});

export const cachePurgesTotal = defineCounter({
  name: "gateward_cache_purges_total",
  help: "Orders to forget stored responses.",
});

export const cacheEvictionsTotal = defineCounter({
  name: "gateward_cache_evictions_total",
  help: "Stored responses given up for want of room.",
});

/** Positions in `reloadsTotal`. */
export const reloadResult = { applied: 0, unchanged: 1, refused: 2 } as const;

export const reloadsTotal = defineCounter({
  name: "gateward_reloads_total",
  help: "Attempts to load the configuration, by outcome.",
  fixed: { label: "result", values: ["applied", "unchanged", "refused"] },
});

export const configRevision = defineGauge({
  name: "gateward_config_revision",
  help: "Revision of the configuration in force; rises with each one applied.",
});

export const workerRestartsTotal = defineCounter({
  name: "gateward_worker_restarts_total",
  help: "Workers that ended unasked and were replaced.",
});

export const accessLogDroppedTotal = defineCounter({
  name: "gateward_access_log_dropped_total",
  help: "Access log lines dropped because the disk did not keep up.",
});

export const eventLoopLagSeconds = defineGauge({
  name: "gateward_event_loop_lag_seconds",
  help: "How late a timer last fired, on the thread where that was longest.",
  unit: "seconds",
  aggregate: "max",
});

export const buildInfo = defineInfo({
  name: "gateward_build_info",
  help: "Version of the gateway and of the Node.js that runs it.",
  labels: ["version", "node"],
});

/** All of the above, in the order in which they are shown. */
export const gatewardFamilies: readonly MetricFamily[] = [
  requestsTotal,
  splitRequestsTotal,
  fallbacksTotal,
  requestDurationSeconds,
  inFlightRequests,
  clientConnections,
  bytesTotal,
  faultsTotal,
  retriesTotal,
  retriesForgoneTotal,
  hedgesTotal,
  grpcResponsesTotal,
  serviceConcurrencyLimit,
  shedRequestsTotal,
  breakerState,
  breakerTransitionsTotal,
  breakerRefusalsTotal,
  inFlightRefusalsTotal,
  overloadPressure,
  policyResultsTotal,
  limitEvictionsTotal,
  cacheBytes,
  cacheEntries,
  cacheLimitBytes,
  cacheLimitEntries,
  cacheEvictionsTotal,
  cacheRefusalsTotal,
  cachePurgesTotal,
  upstreamRequestsTotal,
  upstreamConnections,
  targetHealthy,
  healthChecksTotal,
  targetEjected,
  targetEjectionsTotal,
  redisConnected,
  redisCallsTotal,
  reloadsTotal,
  configRevision,
  workerRestartsTotal,
  accessLogDroppedTotal,
  eventLoopLagSeconds,
  buildInfo,
];
