/**
 * What the data path reads of a configuration: made by config/compile.ts, held by the runtime, and
 * never changed once it is current.
 */
import type { AccessLog } from "../base/log/access-log.ts";
import type { Counter, Gauge, Histogram } from "../base/metrics/metric-view.ts";
import type { Identity } from "../policy/identity.ts";
import type { PolicyHooks } from "../policy/policy.ts";
import type { Matcher } from "../routing/matcher.ts";
import type { PathTemplate } from "../routing/path-template.ts";
import type { CompiledRewrite } from "../routing/rewrite.ts";
import type { Balancer } from "../upstream/balance/balancer.ts";
import type { Guard } from "../upstream/guard.ts";
import type { HedgePolicy } from "../upstream/retry/hedge-policy.ts";
import type { RetryBudget } from "../upstream/retry/retry-budget.ts";
import type { RetryPolicy } from "../upstream/retry/retry-policy.ts";
import type { Fields } from "../wire/fields.ts";
import type { Fallback } from "./fallback.ts";
import type { Overload } from "./overload.ts";
import type { Split } from "./split.ts";
import type { TrustedAddresses } from "../base/trusted-addresses.ts";

export const HANDLE_SERVICE = 0;
export const HANDLE_REDIRECT = 1;
export const HANDLE_RESPOND = 2;
export const HANDLE_SPLIT = 3;

export const HOST_PRESERVE = 0;
export const HOST_TARGET = 1;
export const HOST_LITERAL = 2;

/** Deadlines towards a service, milliseconds, 0 for none. */
export interface UpstreamTimeouts {
  connectMs: number;
  /** While the service takes nothing of the request. */
  requestMs: number;
  /** From the end of the request to the head of the response. */
  responseMs: number;
  /** Between two pieces of the response's body; of a tunnel, between any two. */
  idleMs: number;
  /** For everything, retries included. */
  totalMs: number;
}

export interface CompiledService {
  readonly name: string;
  /** Replaced when names of targets resolve to other addresses; an exchange keeps the one it asked. */
  balancer: Balancer;
  /** What all threads know together; see `upstream/target-record.ts`. */
  readonly record: Int32Array;
  /** Asked for each try, in order; almost always none. */
  readonly guards: readonly Guard[];
  readonly timeouts: UpstreamTimeouts;
  /** Of what is sent besides first tries: retries and hedges. */
  readonly retryBudget: RetryBudget;
  /** Where a route says nothing else. */
  readonly retry: RetryPolicy;
  /** null almost always. */
  readonly hedge: HedgePolicy | null;
  readonly hostMode: number;
  readonly hostLiteral: string;
  /** Put before every path; "" or like "/v2". */
  readonly pathPrefix: string;
  readonly rawPath: boolean;
  /** Spoken to by HTTP/2, which has no Upgrade. */
  readonly isHttp2: boolean;
  readonly bytes: Counter;
  readonly retries: Counter;
  readonly retriesForgone: Counter;
  readonly hedges: Counter;
  /** null where no HTTP/2 is spoken, and so no gRPC. */
  readonly grpcResponses: Counter | null;
}

export interface CompiledRespond {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Those of requests in the order in which a request meets the policies; all others in reverse. */
export interface CompiledHooks {
  readonly onPreflight: readonly NonNullable<PolicyHooks["onPreflight"]>[];
  readonly onRequest: readonly NonNullable<PolicyHooks["onRequest"]>[];
  /** For each of `onRequest`: where in `onResponse` the policies begin that a request has met before it. */
  readonly outward: readonly number[];
  /** The same of `onEnd`. */
  readonly outwardEnd: readonly number[];
  readonly onResponse: readonly NonNullable<PolicyHooks["onResponse"]>[];
  readonly onEnd: readonly NonNullable<PolicyHooks["onEnd"]>[];
  /** What has kept answers, innermost first. */
  readonly standbys: readonly Standby[];
}

/** A policy that may have kept an answer. */
export interface Standby {
  readonly onServiceFailed: NonNullable<PolicyHooks["onServiceFailed"]>;
  /** Where in `onResponse` the policies begin that a request has met before it. */
  readonly outward: number;
}

/** Where requests go, and how; routes that say the same of a service share one. */
export interface Destination {
  readonly service: CompiledService;
  readonly timeouts: UpstreamTimeouts;
  readonly rewrite: CompiledRewrite | null;
  readonly retry: RetryPolicy;
  readonly hedge: HedgePolicy | null;
  /**
   * What requests meet on their way there alone, after the route's policies and the caller's; null where there is
   * nothing, or the route's hooks have it already since all of its requests go there.
   */
  readonly hooks: CompiledHooks | null;
  /** Where requests that end here are counted in place of the route's own counter; null for there. */
  readonly requests: Counter | null;
  /** What else answers where the service cannot; null for nothing. */
  readonly fallback: Fallback | null;
}

export interface CompiledRoute {
  readonly name: string;
  readonly handler: number;
  /** null where no service answers, or one of several. */
  readonly destination: Destination | null;
  /** Which of several it is; null where there is but one, or none. */
  readonly split: Split | null;
  /** Services are sent the path as it came, so that it may have an encoded slash. */
  readonly rawPath: boolean;
  /** Where not all can be served, higher ones are: a position of `PRIORITIES`. */
  readonly priority: number;
  readonly redirect: {
    readonly status: number;
    readonly to: PathTemplate;
    readonly keepsQuery: boolean;
  } | null;
  readonly respond: CompiledRespond | null;
  /** Of the gateway, the service and the route; many routes share one. */
  readonly hooks: CompiledHooks;
  readonly requests: Counter;
  readonly duration: Histogram;
}

/** What becomes of a known caller's request. */
export interface CallerRules {
  /** What the caller's plan and its own policies add to those of the route; null for nothing. */
  hooksFor(identity: Identity): CompiledHooks | null;
  /** That of the caller's plan, or `fallback` where it says nothing. */
  priorityFor(identity: Identity, fallback: number): number;
  /** The highest of plans; -1 where they say nothing. */
  readonly priorityMax: number;
}

/** How services are told who is calling. */
export interface IdentityHeaders {
  /** Takes out what a client claims in these headers, however it spells them. */
  strip(fields: Fields): void;
  /** Lines of a request's head, each with its line break. */
  linesOf(identity: Identity): string;
}

export interface Snapshot {
  readonly revision: number;
  readonly matcher: Matcher<CompiledRoute>;
  /** By name. */
  readonly services: ReadonlyMap<string, CompiledService>;
  readonly trusted: TrustedAddresses;
  readonly sendsXForwarded: boolean;
  readonly sendsForwarded: boolean;
  readonly sendsVia: boolean;
  /** Bytes of a request body, 0 for any number. */
  readonly bodyBytesMax: number;
  readonly tunnelIdleMs: number;
  readonly accessLog: AccessLog | null;
  /** null where requests are served however much there is to do. */
  readonly overload: Overload | null;
  /** null where no consumer or plan has policies of its own. */
  readonly callers: CallerRules | null;
  /** null where nothing finds out who is calling, or services are not to know. */
  readonly identityHeaders: IdentityHeaders | null;
  /** Requests that match no route are counted here. */
  readonly unmatchedRequests: Counter;
  readonly unmatchedDuration: Histogram;
  readonly inFlight: Gauge;
  /** Counter of a fault by the name of its type. */
  faultCounter(type: string): Counter;
  /** Exchanges that began on this snapshot and are not over. Kept by the proxy. */
  exchangeCount: number;
  /** Called when the snapshot is no longer current and its last exchange is over. */
  onUnused: (() => void) | null;
}
