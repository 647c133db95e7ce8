// HOT
import type { Fault } from "../base/faults.ts";
import { Deadline } from "../base/deadline-wheel.ts";
import { PRIORITY_NORMAL } from "../base/priorities.ts";
import type { BodyStage } from "../policy/body-stage.ts";
import type { Exchange as PolicyExchange } from "../policy/exchange.ts";
import { mergeIdentities } from "../policy/identity.ts";
import type { Identity } from "../policy/identity.ts";
import { readCookie, withoutCookie } from "../routing/cookie.ts";
import { MatchResult } from "../routing/match-result.ts";
import { NormalizedPath } from "../routing/normalize-path.ts";
import { readQueryParameter } from "../routing/query.ts";
import { QueryRewrite } from "../routing/query-rewrite.ts";
import type { RoutingRequest } from "../routing/routing-request.ts";
import type { Target } from "../upstream/balance/target.ts";
import type { ClientConnection, ClientStream } from "../wire/exchange-streams.ts";
import { NO_GRPC_STATUS } from "../upstream/grpc-status.ts";
import { RequestHead } from "../wire/http1/request-head.ts";
import { ResponseHead } from "../wire/http1/response-head.ts";
import { X_REQUEST_ID } from "../wire/known-header.ts";
import type { FallbackStep } from "./fallback.ts";
import { createRequestId, isAcceptableRequestId } from "./request-id.ts";
import type { CompiledRoute, Destination, Snapshot } from "./snapshot.ts";

export const NOT_HEDGED = -1;
/** No retry was due, or all that were have been made. */
export const NOT_FORGONE = -1;

/** A query may have bytes that a URI cannot hold: services have always been sent them. */
const NOT_A_QUERY = /[^\x21\x22\x24-\x7e\x80-\xff]/;

/**
 * What can be read of an exchange: by the router, by policies, by the access log. The flow through it
 * is in exchange.ts. Objects are reused; `clearView` makes one ready for the next request.
 */
export abstract class ExchangeView extends Deadline implements PolicyExchange, RoutingRequest {
  readonly request: RequestHead;
  /** That of the try whose answer it is. */
  response: ResponseHead;
  readonly match: MatchResult<CompiledRoute>;
  readonly normalized: NormalizedPath;
  stream: ClientStream | null;
  snapshot: Snapshot | null;
  route: CompiledRoute | null;
  /** Known once the policies are through with the request. */
  destination: Destination | null;
  target: Target | null;
  fault: Fault | null;
  identity: Identity | null;
  /** Host as sent, with its port; "" when there is none. */
  authority: string;
  host: string;
  /** The target is `*`: the request is about the gateway, it has no path. */
  isAsterisk: boolean;
  rawQuery: string;
  /** `rawQuery` is not what the client sent any more. */
  queryIsChanged: boolean;
  scheme: string;
  clientAddress: string;
  peerIsTrusted: boolean;
  responseIsFromService: boolean;
  status: number;
  /** A position of `PRIORITIES`: that of the route, or of the caller's plan. */
  priority: number;
  attempts: number;
  /** A RETRY_ bit: why the request was last tried again, 0 if it was not. */
  retriedFor: number;
  /** A position of `forgone`: what stood last against a retry or a hedge; NOT_FORGONE if nothing did. */
  retryForgone: number;
  /** A position of `hedgeResult`: what became of a second try beside a first; NOT_HEDGED if there was none. */
  hedgeOutcome: number;
  /** What the service has said in gRPC; NO_GRPC_STATUS for nothing. */
  grpcStatus: number;
  requestBodyBytes: number;
  responseBodyBytes: number;
  /** Bytes of the request's body, 0 for any number. */
  protected bodyBytesMax: number;
  /** What the service failed with in whose place another answer was sought: a fault's name or a status, "" for none. */
  failure: string;
  /** What has answered in its place: the kind of a step of the fallback; "" for nothing. */
  fallbackKind: "" | FallbackStep["kind"];
  /** What the service fails with, unasked, as a policy has it; null almost always. */
  protected serviceFailure: ((exchange: PolicyExchange) => Fault) | null;
  /** Tells of that on the answer. */
  protected tellDrill: ((exchange: PolicyExchange) => void) | null;
  /** Of the clock that performance.now() reads, ms. */
  startedAt: number;
  endedAt: number;
  sentAt: number;
  answeredAt: number;
  private requestIdValue: string;
  /** Keys and values in turn; few, so that going through them beats a table. Its length stays. */
  private readonly memory: unknown[];
  private memoryCount: number;

  constructor() {
    super();
    this.request = new RequestHead();
    this.response = new ResponseHead();
    this.match = new MatchResult();
    this.normalized = new NormalizedPath();
    this.stream = null;
    this.snapshot = null;
    this.route = null;
    this.destination = null;
    this.target = null;
    this.fault = null;
    this.identity = null;
    this.authority = "";
    this.host = "";
    this.isAsterisk = false;
    this.rawQuery = "";
    this.queryIsChanged = false;
    this.scheme = "http";
    this.clientAddress = "";
    this.peerIsTrusted = false;
    this.responseIsFromService = false;
    this.status = 0;
    this.priority = PRIORITY_NORMAL;
    this.attempts = 0;
    this.retriedFor = 0;
    this.retryForgone = NOT_FORGONE;
    this.hedgeOutcome = NOT_HEDGED;
    this.grpcStatus = NO_GRPC_STATUS;
    this.requestBodyBytes = 0;
    this.responseBodyBytes = 0;
    this.bodyBytesMax = 0;
    this.failure = "";
    this.fallbackKind = "";
    this.serviceFailure = null;
    this.tellDrill = null;
    this.startedAt = 0;
    this.endedAt = 0;
    this.sentAt = 0;
    this.answeredAt = 0;
    this.requestIdValue = "";
    this.memory = [];
    this.memoryCount = 0;
  }

  protected clearView(): void {
    this.stream = null;
    this.snapshot = null;
    this.route = null;
    this.destination = null;
    this.target = null;
    this.fault = null;
    this.identity = null;
    this.authority = "";
    this.host = "";
    this.isAsterisk = false;
    this.rawQuery = "";
    this.queryIsChanged = false;
    // Else an idle exchange would keep the routes of a snapshot that is gone.
    this.match.clear();
    this.responseIsFromService = false;
    this.failure = "";
    this.fallbackKind = "";
    this.serviceFailure = null;
    this.tellDrill = null;
    this.status = 0;
    this.response.status = 0;
    this.attempts = 0;
    this.retriedFor = 0;
    this.retryForgone = NOT_FORGONE;
    this.hedgeOutcome = NOT_HEDGED;
    this.grpcStatus = NO_GRPC_STATUS;
    this.requestBodyBytes = 0;
    this.responseBodyBytes = 0;
    this.sentAt = 0;
    this.answeredAt = 0;
    this.requestIdValue = "";
    if (this.memoryCount > 0) this.forget();
  }

  /** Takes over what the request of `cause` is, and what policies have kept for it and found out. Cold. */
  protected copyRequest(cause: ExchangeView): void {
    this.request.copy(cause.request);
    this.match.copy(cause.match);
    this.normalized.copy(cause.normalized);
    this.route = cause.route;
    this.priority = cause.priority;
    this.destination = cause.destination;
    this.identity = cause.identity;
    this.authority = cause.authority;
    this.host = cause.host;
    this.rawQuery = cause.rawQuery;
    this.queryIsChanged = cause.queryIsChanged;
    this.scheme = cause.scheme;
    this.clientAddress = cause.clientAddress;
    this.peerIsTrusted = cause.peerIsTrusted;
    this.requestIdValue = cause.requestIdValue;
    this.memoryCount = cause.memoryCount;
    for (let at = 0; at < this.memoryCount; at++) this.memory[at] = cause.memory[at];
  }

  // Policies and routing

  abstract get requestHasBody(): boolean;
  abstract get responseHasBody(): boolean;
  abstract get mayRefresh(): boolean;
  abstract stageRequest(stage: BodyStage): void;
  abstract stageResponse(stage: BodyStage): void;

  get method(): string {
    return this.request.method;
  }

  get connection(): ClientConnection {
    return this.stream!.connection;
  }

  get path(): string {
    return this.isAsterisk ? "*" : this.normalized.path;
  }

  get routeName(): string {
    return this.route === null ? "" : this.route.name;
  }

  get serviceName(): string {
    const { route } = this;
    const destination = this.destination ?? (route === null ? null : route.destination);
    return destination === null ? "" : destination.service.name;
  }

  get requestId(): string {
    if (this.requestIdValue === "") {
      const { fields } = this.request;
      const index = this.peerIsTrusted ? fields.indexOfId(X_REQUEST_ID) : -1;
      const sent = index < 0 ? "" : fields.valueAt(index);
      this.requestIdValue = isAcceptableRequestId(sent) ? sent : createRequestId();
    }
    return this.requestIdValue;
  }

  adoptRequestId(header: string): void {
    const sent = this.peerIsTrusted ? this.header(header) : undefined;
    if (sent !== undefined && isAcceptableRequestId(sent)) this.requestIdValue = sent;
  }

  identify(identity: Identity): boolean {
    const sum = this.identity === null ? identity : mergeIdentities(this.identity, identity);
    if (sum === null) return false;
    this.identity = sum;
    return true;
  }

  failService(
    fail: (exchange: PolicyExchange) => Fault,
    tell?: (exchange: PolicyExchange) => void,
  ): void {
    if (this.serviceFailure !== null) return;
    this.serviceFailure = fail;
    this.tellDrill = tell ?? null;
  }

  limitBody(bytesMax: number): void {
    this.bodyBytesMax = bytesMax;
  }

  remember(key: object, value: unknown): void {
    const { memory, memoryCount } = this;
    for (let at = 0; at < memoryCount; at += 2) {
      if (memory[at] !== key) continue;
      memory[at + 1] = value;
      return;
    }
    memory[memoryCount] = key;
    memory[memoryCount + 1] = value;
    this.memoryCount = memoryCount + 2;
  }

  private forget(): void {
    const { memory, memoryCount } = this;
    for (let at = 0; at < memoryCount; at++) memory[at] = undefined;
    this.memoryCount = 0;
  }

  recall(key: object): unknown {
    const { memory, memoryCount } = this;
    for (let at = 0; at < memoryCount; at += 2) {
      if (memory[at] === key) return memory[at + 1];
    }
    return undefined;
  }

  get protocol(): string {
    return this.stream === null ? "" : this.stream.protocol;
  }

  header(name: string): string | undefined {
    return this.request.fields.get(name);
  }

  query(name: string): string | undefined {
    return this.rawQuery === "" ? undefined : readQueryParameter(this.rawQuery, name);
  }

  cookie(name: string): string | undefined {
    const header = this.request.fields.get("cookie");
    return header === undefined ? undefined : readCookie(header, name);
  }

  // cold: where a credential came that way
  removeQuery(name: string): void {
    const kept = new QueryRewrite(false, [name], "").apply(this.rawQuery);
    if (kept === this.rawQuery) return;
    this.rawQuery = kept;
    this.queryIsChanged = true;
  }

  setQuery(query: string): void {
    if (query === this.rawQuery) return;
    if (NOT_A_QUERY.test(query)) throw new TypeError("this cannot stand in a query");
    this.rawQuery = query;
    this.queryIsChanged = true;
  }

  removeCookie(name: string): void {
    const header = this.request.fields.get("cookie");
    if (header === undefined) return;
    const kept = withoutCookie(header, name);
    if (kept === header) return;
    if (kept === "") this.request.fields.remove("cookie");
    else this.request.fields.set("cookie", kept);
  }

  param(name: string): string | undefined {
    return this.route === null ? undefined : this.match.paramNamed(name);
  }
}
