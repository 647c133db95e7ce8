// HOT
import { Fault, faults } from "../base/faults.ts";
import type { Verdict } from "../policy/policy.ts";
import type { Reply } from "../policy/reply.ts";
import { MATCHED, METHOD_NOT_ALLOWED } from "../routing/match-result.ts";
import { upstreamResult } from "../base/metrics/families.ts";
import type { Balancer } from "../upstream/balance/balancer.ts";
import { TriedSet } from "../upstream/balance/tried-set.ts";
import type { PoolClient } from "../upstream/target-pool.ts";
import {
  BODY_LENGTH,
  BODY_NONE,
  BODY_STREAM,
  BODY_TUNNEL,
  UPSTREAM_CLOSED,
  UPSTREAM_REFUSED,
} from "../wire/exchange-streams.ts";
import type { ClientEvents, ClientStream, UpstreamStream } from "../wire/exchange-streams.ts";
import type { Fields } from "../wire/fields.ts";
import { refusalFault } from "../wire/http1/refusal.ts";
import { reasonOf } from "../wire/http1/write-message.ts";
import { CONTENT_LENGTH } from "../wire/known-header.ts";
import { forwardingLines, readForwarding } from "./forwarding.ts";
import { ExchangeView } from "./exchange-view.ts";
import { HeldBody } from "./held-body.ts";
import { locate } from "./locate.ts";
import { ownAnswer } from "./own-answer.ts";
import type { ProxyRuntime } from "./proxy-runtime.ts";
import { HANDLE_RESPOND, HANDLE_SERVICE } from "./snapshot.ts";
import type { CompiledService } from "./snapshot.ts";
import { isIdempotent, upstreamFault, wasConnecting } from "./upstream-fault.ts";
import { hostFor, prepareTarget } from "./upstream-request.ts";

/** Not in use. */
const FREE = 0;
/** Policies look at the request; nothing has been sent anywhere. */
const ARRIVED = 1;
/** A connection to a target is awaited. */
const CONNECTING = 2;
/** The request is being sent or has been; the response's head is awaited. */
const SENT = 3;
/** The response's head has come; policies may still be looking at it. */
const ANSWERED = 4;
/** The response's head has been sent to the client. */
const RESPONDING = 5;
const TUNNEL = 6;

const RESULT_OK = upstreamResult.ok;
const RESULT_SERVER_ERROR = upstreamResult.serverError;
const RESULT_CONNECT = upstreamResult.connect;
const RESULT_TIMEOUT = upstreamResult.timeout;
const RESULT_BROKEN = upstreamResult.broken;
const RESULT_CANCELLED = upstreamResult.cancelled;

/** Beyond the connect timeout, so that the pool's own verdict comes first. */
const QUEUE_GRACE_MS = 300;

/**
 * The flow of one request through the gateway:
 *
 *     onRequest -> locate -> match -> policies -> handler -> pick, connect, send -> onResponse
 *               -> policies -> head and body to the client -> finish
 *
 * Everything happens inside the event that brought the bytes; only a policy that returns a promise and
 * a connection that has to be made interrupt it. Objects are reused: what arrives for an exchange that
 * is over is told by `generation`.
 */
export class Exchange extends ExchangeView implements ClientEvents, PoolClient {
  pipelinable: boolean;
  wantsFresh: boolean;
  private readonly runtime: ProxyRuntime;
  private readonly tried: TriedSet;
  private readonly held: HeldBody;
  private generation: number;
  private phase: number;
  private balancer: Balancer | null;
  private upstream: UpstreamStream | null;
  private upstreamTarget: string;
  private upstreamHost: string;
  private upstreamLines: string;
  private requestBody: number;
  private requestEnded: boolean;
  private responseEnded: boolean;
  private clientPaused: boolean;
  private upstreamPaused: boolean;
  private responseBody: number;
  /** The response waits for a policy's promise. */
  private responseHeld: boolean;
  private heldResponse: HeldBody;
  private ownBody: Buffer | null;
  private totalExpiresAtMs: number;
  private staleRetries: number;
  /** The body is kept while it is sent: the connection may turn out to be closed. */
  private keepsBody: boolean;
  /** The service answered with a status that counts against it. */
  private answeredBadly: boolean;

  constructor(runtime: ProxyRuntime) {
    super();
    this.pipelinable = false;
    this.wantsFresh = false;
    this.runtime = runtime;
    this.tried = new TriedSet();
    this.held = new HeldBody();
    this.generation = 0;
    this.phase = FREE;
    this.balancer = null;
    this.upstream = null;
    this.upstreamTarget = "";
    this.upstreamHost = "";
    this.upstreamLines = "";
    this.requestBody = BODY_NONE;
    this.requestEnded = true;
    this.responseEnded = false;
    this.clientPaused = false;
    this.upstreamPaused = false;
    this.responseBody = BODY_NONE;
    this.responseHeld = false;
    this.heldResponse = new HeldBody();
    this.ownBody = null;
    this.totalExpiresAtMs = 0;
    this.staleRetries = 0;
    this.keepsBody = false;
    this.answeredBadly = false;
  }

  // The request arrives

  onRequest(stream: ClientStream, hasBody: boolean): void {
    this.begin(stream, hasBody);
    const snapshot = this.snapshot!;
    readForwarding(this, stream.connection, snapshot);
    const fault = locate(this);
    if (fault !== null) {
      this.fail(fault);
      return;
    }
    if (this.path === "*") {
      this.answer(204, ASTERISK_HEADERS, NO_BYTES);
      return;
    }
    snapshot.matcher.match(this, this.match);
    if (this.match.outcome !== MATCHED) {
      this.fail(this.match.outcome === METHOD_NOT_ALLOWED ? faults["method-not-allowed"] : faults["no-route"]);
      return;
    }
    const route = this.match.value;
    this.route = route;
    if (this.normalized.encodedSlash && (route.service === null || !route.service.rawPath)) {
      this.fail(faults["bad-path"]);
      return;
    }
    const bodyMax = snapshot.bodyBytesMax;
    if (bodyMax > 0 && this.request.contentLength > bodyMax) {
      this.fail(faults["body-too-large"]);
      return;
    }
    this.runRequestHooks(0);
  }

  private begin(stream: ClientStream, hasBody: boolean): void {
    const snapshot = this.runtime.snapshot!;
    this.stream = stream;
    this.snapshot = snapshot;
    this.runtime.beginOn(snapshot);
    this.startedAt = performance.now();
    this.phase = ARRIVED;
    this.requestEnded = !hasBody;
    this.responseEnded = false;
    this.clientPaused = false;
    this.upstreamPaused = false;
    this.responseHeld = false;
    this.wantsFresh = false;
    this.staleRetries = 0;
    this.keepsBody = false;
    this.answeredBadly = false;
    this.totalExpiresAtMs = 0;
  }

  /** A head that was refused by the parser; there is no request to speak of. */
  refuse(stream: ClientStream, fault: Fault): void {
    this.begin(stream, false);
    this.request.method = "";
    this.request.targetStart = 0;
    this.request.targetEnd = 0;
    this.request.fields.clear();
    this.peerIsTrusted = false;
    this.clientAddress = stream.connection.peerAddress;
    this.fail(fault);
  }

  private runRequestHooks(from: number): void {
    const hooks = this.route!.onRequest;
    for (let index = from; index < hooks.length; index++) {
      let verdict: Verdict | Promise<Verdict>;
      try {
        verdict = hooks[index]!(this);
      } catch (error) {
        verdict = this.runtime.reportError(error, this.routeName);
      }
      if (verdict === undefined) continue;
      if (verdict instanceof Promise) {
        this.awaitRequestHook(verdict, index + 1);
        return;
      }
      this.obey(verdict as Reply | Fault);
      return;
    }
    this.handle();
  }

  private awaitRequestHook(promise: Promise<Verdict>, next: number): void {
    const { generation } = this;
    const goOn = (verdict: Verdict): void => {
      if (this.generation !== generation || this.phase !== ARRIVED) return;
      if (verdict === undefined) this.runRequestHooks(next);
      else this.obey(verdict);
    };
    promise.then(goOn, (error: unknown) => goOn(this.runtime.reportError(error, this.routeName)));
  }

  private obey(verdict: Reply | Fault): void {
    if (verdict instanceof Fault) this.fail(verdict);
    else this.answer(verdict.status, verdict.headers, verdict.body);
  }

  private handle(): void {
    const route = this.route!;
    if (route.handler === HANDLE_SERVICE) {
      this.startService(route.service!);
    } else if (route.handler === HANDLE_RESPOND) {
      const respond = route.respond!;
      this.answer(respond.status, respond.headers, respond.body);
    } else {
      const { status, to, keepsQuery } = route.redirect!;
      let location = to.fill(this.match);
      if (keepsQuery && this.rawQuery !== "") location += "?" + this.rawQuery;
      this.answer(status, { location }, NO_BYTES);
    }
  }

  // Towards the service

  private startService(service: CompiledService): void {
    const { request } = this;
    this.upstreamTarget = prepareTarget(this, service);
    this.upstreamLines = forwardingLines(this);
    if (request.upgradeIndex >= 0 && !request.hasBody) this.requestBody = BODY_TUNNEL;
    else if (request.chunked) this.requestBody = BODY_STREAM;
    else this.requestBody = request.contentLength > 0 ? BODY_LENGTH : BODY_NONE;
    this.pipelinable = this.requestBody === BODY_NONE && isIdempotent(request.method);
    const { totalMs } = this.route!.timeouts;
    if (totalMs > 0) this.totalExpiresAtMs = this.runtime.wheel.nowMs + totalMs;
    service.retryBudget.onRequest();
    this.tryTarget(service, null);
  }

  /** @param last what the try before failed with; it is what the client gets when no target is left. */
  private tryTarget(service: CompiledService, last: Fault | null): void {
    const { balancer } = service;
    this.balancer = balancer;
    const target = balancer.pick(this, this.tried);
    if (target === undefined) {
      this.fail(last ?? faults["no-target"]);
      return;
    }
    this.target = target;
    this.attempts++;
    this.sentAt = 0;
    this.answeredAt = 0;
    this.answeredBadly = false;
    balancer.started(target);
    this.phase = CONNECTING;
    const upstream = target.pool!.acquire(this);
    if (upstream !== null) this.onStream(upstream);
    else this.arm(this.route!.timeouts.connectMs + QUEUE_GRACE_MS);
  }

  onStream(upstream: UpstreamStream): void {
    const { request, held } = this;
    this.upstream = upstream;
    this.phase = SENT;
    this.sentAt = performance.now();
    this.upstreamHost = hostFor(this, this.route!.service!, this.target!);
    upstream.sendHead(request, this.upstreamTarget, this.upstreamHost, this.upstreamLines, this.requestBody);
    if (held.size > 0) held.sendTo(upstream);
    if (this.requestEnded) {
      if (this.requestBody === BODY_LENGTH || this.requestBody === BODY_STREAM) {
        upstream.sendEnd(held.trailers);
      }
      this.arm(this.route!.timeouts.responseMs);
    } else if (this.requestBody === BODY_TUNNEL) {
      this.arm(this.route!.timeouts.responseMs);
    } else {
      this.armSending(upstream);
      this.keepsBody = upstream.reused && isIdempotent(request.method);
      if (!this.keepsBody) held.clear();
      if (this.clientPaused && !upstream.congested) this.resumeClient();
    }
  }

  private armSending(upstream: UpstreamStream): void {
    this.arm(upstream.congested ? this.route!.timeouts.requestMs : 0);
  }

  private resumeClient(): void {
    this.clientPaused = false;
    this.stream!.resumeBody();
  }

  private pauseClient(): void {
    if (this.clientPaused) return;
    this.clientPaused = true;
    this.stream!.pauseBody();
  }

  onNoStream(cause: number): void {
    const service = this.route!.service!;
    const target = this.target!;
    if (wasConnecting(cause)) this.balancer!.unreachable(target);
    this.endTry(true, RESULT_CONNECT);
    this.tried.add(target);
    this.retryOrFail(service, upstreamFault(cause));
  }

  onUpstreamFailed(cause: number): void {
    const service = this.route!.service!;
    const upstream = this.upstream!;
    this.upstream = null;
    if (this.phase >= RESPONDING) {
      this.endTry(true, RESULT_BROKEN);
      this.breakOff(this.phase === TUNNEL ? null : faults["response-cut"]);
      return;
    }
    if (this.canRepeat(cause) && cause === UPSTREAM_CLOSED && upstream.reused && this.staleRetries < 2) {
      // The service closed a kept connection as the request was on its way: not a failure of its own.
      this.staleRetries++;
      this.wantsFresh = true;
      this.endTry(false, RESULT_BROKEN);
      this.tryTarget(service, upstreamFault(cause));
      return;
    }
    this.endTry(true, RESULT_BROKEN);
    this.tried.add(this.target!);
    if (cause === UPSTREAM_REFUSED && this.canRepeat(cause)) this.retryOrFail(service, upstreamFault(cause));
    else this.fail(upstreamFault(cause));
  }

  /** Nothing of the response has come; may the request be sent a second time, and is it all still here? */
  private canRepeat(cause: number): boolean {
    if (this.phase !== SENT || this.requestBody === BODY_TUNNEL) return false;
    const whole = this.requestBody === BODY_NONE || (this.requestEnded && this.held.isWhole(this.requestBodyBytes));
    return whole && (cause === UPSTREAM_REFUSED || isIdempotent(this.request.method));
  }

  private retryOrFail(service: CompiledService, fault: Fault): void {
    // Without another target there is nothing to try: the one that failed gets no second blow.
    const left = this.balancer!.targets.length > this.tried.size;
    if (!left || this.attempts > service.retryAttempts || !service.retryBudget.take()) {
      this.fail(fault);
      return;
    }
    service.retries.add(1);
    this.wantsFresh = false;
    this.tryTarget(service, fault);
  }

  /** Tells the balancer and the metrics how a try ended. */
  private endTry(failed: boolean, result: number): void {
    const { target } = this;
    if (target === null || this.phase < CONNECTING) return;
    const from = this.sentAt === 0 ? this.startedAt : this.sentAt;
    const until = this.answeredAt === 0 ? performance.now() : this.answeredAt;
    this.balancer!.ended(target, until - from, failed || this.answeredBadly);
    target.results!.addAt(result, 1);
    this.phase = ARRIVED;
  }

  // The request's body

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    this.requestBodyBytes += end - start;
    const bodyMax = this.snapshot!.bodyBytesMax;
    if (bodyMax > 0 && this.requestBodyBytes > bodyMax && this.phase !== TUNNEL) {
      this.fail(faults["body-too-large"]);
      return;
    }
    const { upstream } = this;
    if (upstream === null) {
      if (this.phase === ARRIVED || this.phase === CONNECTING) {
        this.held.keep(bytes, start, end);
        if (this.held.isFull) this.pauseClient();
      }
      return;
    }
    if (this.keepsBody) this.keepForRetry(bytes, start, end);
    upstream.sendBody(bytes, start, end);
    if (upstream.congested) this.pauseClient();
    if (this.phase === TUNNEL) this.arm(this.snapshot!.tunnelIdleMs);
    else if (this.phase === SENT) this.armSending(upstream);
  }

  private keepForRetry(bytes: Buffer, start: number, end: number): void {
    if (this.held.isFull) {
      this.keepsBody = false;
      this.held.clear();
    } else {
      this.held.keep(bytes, start, end);
    }
  }

  onRequestEnd(trailers: Fields | null): void {
    this.requestEnded = true;
    this.held.trailers = trailers;
    const { upstream } = this;
    if (upstream === null) return;
    upstream.sendEnd(trailers);
    if (this.phase === TUNNEL) {
      if (this.responseEnded) this.finish();
      return;
    }
    if (this.phase === SENT) this.arm(this.route!.timeouts.responseMs);
  }

  onUpstreamDrain(): void {
    if (this.clientPaused) this.resumeClient();
    if (this.phase === SENT && !this.requestEnded) this.arm(0);
  }

  onRequestTimeout(): void {
    this.fail(faults["request-timeout"]);
  }

  onRequestMalformed(refusal: number): void {
    this.fail(refusalFault(refusal));
  }

  onClientGone(): void {
    this.stream = null;
    if (this.phase !== TUNNEL) this.fault = faults["client-gone"];
    if (this.status === 0) this.status = 499;
    this.finish();
  }

  // The response

  onInformational(): void {
    this.stream!.sendInformational(this.response);
  }

  onResponse(body: number): void {
    this.phase = ANSWERED;
    this.answeredAt = performance.now();
    this.responseBody = body;
    const { response } = this;
    this.answeredBadly = response.status >= 500;
    if (response.status === 204) response.fields.removeId(CONTENT_LENGTH);
    const cookie = this.balancer!.responseCookie(this, this.target!);
    if (cookie !== undefined) response.fields.add("set-cookie", cookie);
    this.runResponseHooks(0);
  }

  private runResponseHooks(from: number): void {
    const hooks = this.route === null ? NO_HOOKS : this.route.onResponse;
    for (let index = from; index < hooks.length; index++) {
      let verdict: Verdict | Promise<Verdict>;
      try {
        verdict = hooks[index]!(this);
      } catch (error) {
        verdict = this.runtime.reportError(error, this.routeName);
      }
      if (verdict === undefined) continue;
      if (verdict instanceof Promise) {
        this.awaitResponseHook(verdict, index + 1);
        return;
      }
      this.replaceResponse(verdict as Reply | Fault);
      return;
    }
    this.sendResponseHead();
  }

  private awaitResponseHook(promise: Promise<Verdict>, next: number): void {
    const { generation } = this;
    this.responseHeld = true;
    this.upstreamPaused = true;
    if (this.upstream !== null) this.upstream.pauseBody();
    const goOn = (verdict: Verdict): void => {
      if (this.generation !== generation || this.phase !== ANSWERED) return;
      this.responseHeld = false;
      if (verdict === undefined) this.runResponseHooks(next);
      else this.replaceResponse(verdict);
    };
    promise.then(goOn, (error: unknown) => goOn(this.runtime.reportError(error, this.routeName)));
  }

  /** A policy answers in place of the service; no policy looks at what it says. */
  private replaceResponse(verdict: Reply | Fault): void {
    this.leaveUpstream(false, RESULT_OK);
    this.heldResponse.clear();
    if (verdict instanceof Fault) {
      this.noteFault(verdict);
      this.ownBody = ownAnswer(this, verdict);
    } else {
      this.ownBody = verdict.body;
      this.fillOwnHead(verdict.status, verdict.headers, verdict.body);
    }
    this.sendResponseHead();
  }

  private sendResponseHead(): void {
    const stream = this.stream!;
    const { response, heldResponse } = this;
    this.status = response.status;
    if (this.ownBody !== null) {
      this.sendOwn(stream, this.ownBody);
      return;
    }
    this.phase = this.responseBody === BODY_TUNNEL ? TUNNEL : RESPONDING;
    // The client's direction is open again: what it sends now belongs to the tunnel.
    if (this.phase === TUNNEL) this.requestEnded = false;
    stream.sendHead(response, this.responseBody);
    if (this.phase === TUNNEL) this.arm(this.snapshot!.tunnelIdleMs);
    else if (this.responseBody !== BODY_NONE) this.arm(this.route!.timeouts.idleMs);
    if (this.upstreamPaused && heldResponse.size === 0 && !heldResponse.ended) this.resumeUpstream();
    else if (heldResponse.size > 0 || heldResponse.ended) this.releaseHeldResponse(stream);
  }

  /** Sends what came while a policy was looking at the head. */
  private releaseHeldResponse(stream: ClientStream): void {
    const { heldResponse } = this;
    this.responseBodyBytes += heldResponse.size;
    heldResponse.sendTo(stream);
    const { ended, trailers } = heldResponse;
    heldResponse.clear();
    if (ended) this.onResponseEnd(trailers);
    else if (!stream.congested) this.resumeUpstream();
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    if (this.responseHeld) {
      this.heldResponse.keep(bytes, start, end);
      return;
    }
    const stream = this.stream!;
    this.responseBodyBytes += end - start;
    stream.sendBody(bytes, start, end);
    if (stream.congested) {
      this.upstreamPaused = true;
      this.upstream!.pauseBody();
      // The client's own deadline counts now.
      this.arm(0);
    } else {
      this.arm(this.phase === TUNNEL ? this.snapshot!.tunnelIdleMs : this.route!.timeouts.idleMs);
    }
  }

  private resumeUpstream(): void {
    this.upstreamPaused = false;
    if (this.upstream !== null) this.upstream.resumeBody();
  }

  onClientDrain(): void {
    if (!this.upstreamPaused || this.responseHeld) return;
    this.resumeUpstream();
    this.arm(this.phase === TUNNEL ? this.snapshot!.tunnelIdleMs : this.route!.timeouts.idleMs);
  }

  onResponseEnd(trailers: Fields | null): void {
    if (this.responseHeld) {
      this.heldResponse.ended = true;
      this.heldResponse.trailers = trailers;
      if (this.requestEnded) this.upstream = null;
      return;
    }
    if (this.phase === TUNNEL) {
      this.responseEnded = true;
      this.stream!.sendEnd(null);
      if (this.requestEnded) this.finish();
      return;
    }
    // With its request sent the stream has gone back to its pool and is not this exchange's any more.
    if (this.requestEnded) this.upstream = null;
    const stream = this.stream!;
    this.stream = null;
    this.finishWith(stream, trailers);
  }

  // Answers of the gateway's own

  private answer(status: number, headers: Readonly<Record<string, string>>, body: Buffer): void {
    this.fillOwnHead(status, headers, body);
    this.ownBody = body;
    this.phase = ANSWERED;
    this.runResponseHooks(0);
  }

  private fillOwnHead(status: number, headers: Readonly<Record<string, string>>, body: Buffer): void {
    const { response } = this;
    response.reset(status, reasonOf(status));
    for (const name in headers) response.fields.add(name, headers[name]!);
    if (status !== 204 && status !== 304) response.fields.add("content-length", String(body.length));
  }

  private sendOwn(stream: ClientStream, body: Buffer): void {
    const { status } = this.response;
    const bodiless = body.length === 0 || this.request.method === "HEAD" || status === 204 || status === 304;
    this.phase = RESPONDING;
    stream.sendHead(this.response, bodiless ? BODY_NONE : BODY_LENGTH);
    if (!bodiless) {
      this.responseBodyBytes += body.length;
      stream.sendBody(body, 0, body.length);
    }
    this.stream = null;
    this.finishWith(stream, null);
  }

  /** Answers with a fault, or breaks the response off if its head is out. */
  private fail(fault: Fault): void {
    if (this.phase >= RESPONDING) {
      this.leaveUpstream(true, RESULT_BROKEN);
      this.breakOff(fault);
      return;
    }
    const theirs = fault.whose === "upstream";
    this.leaveUpstream(theirs, theirs ? RESULT_TIMEOUT : RESULT_CANCELLED);
    // A policy that is still thinking has been overtaken.
    this.generation++;
    this.responseHeld = false;
    this.noteFault(fault);
    this.ownBody = ownAnswer(this, fault);
    this.phase = ANSWERED;
    this.runResponseHooks(0);
  }

  private noteFault(fault: Fault): void {
    this.fault = fault;
    this.snapshot!.faultCounter(fault.name).add(1);
  }

  private breakOff(fault: Fault | null): void {
    if (fault !== null) this.noteFault(fault);
    const { stream } = this;
    this.stream = null;
    if (stream !== null) stream.abort();
    this.finish();
  }

  /** Lets go of whatever was under way towards the service. */
  private leaveUpstream(failed: boolean, result: number): void {
    const { upstream } = this;
    if (upstream !== null) {
      this.upstream = null;
      upstream.abort(this);
    } else if (this.phase === CONNECTING) {
      this.target!.pool!.cancel(this);
    }
    if (this.phase >= CONNECTING) this.endTry(failed, result);
  }

  onDeadline(): void {
    const { totalExpiresAtMs } = this;
    if (totalExpiresAtMs > 0 && this.runtime.wheel.nowMs >= totalExpiresAtMs) {
      this.fail(faults["total-timeout"]);
      return;
    }
    switch (this.phase) {
      case CONNECTING:
        this.target!.pool!.cancel(this);
        this.endTry(false, RESULT_TIMEOUT);
        this.fail(faults["queue-timeout"]);
        break;
      case SENT:
        this.fail(this.requestEnded ? faults["response-timeout"] : faults["request-send-timeout"]);
        break;
      case RESPONDING:
        this.fail(faults["response-stalled"]);
        break;
      case TUNNEL:
        this.leaveUpstream(false, RESULT_OK);
        this.breakOff(null);
        break;
      default:
        break;
    }
  }

  private arm(afterMs: number): void {
    const { wheel } = this.runtime;
    if (this.totalExpiresAtMs > 0) {
      const leftMs = this.totalExpiresAtMs - wheel.nowMs;
      if (afterMs === 0 || leftMs < afterMs) afterMs = leftMs > 0 ? leftMs : 1;
    }
    wheel.set(this, afterMs);
  }

  // The end

  /** The end is sent once everything is noted, since what follows on the connection may reuse this object. */
  private finishWith(stream: ClientStream, trailers: Fields | null): void {
    this.settle(stream);
    stream.sendEnd(trailers);
    this.recycle();
  }

  private finish(): void {
    this.settle(this.stream);
    this.recycle();
  }

  private settle(stream: ClientStream | null): void {
    const { runtime, route } = this;
    const snapshot = this.snapshot!;
    this.endedAt = performance.now();
    runtime.wheel.clear(this);
    this.stream = stream;
    if (this.clientPaused && stream !== null) stream.resumeBody();
    this.leaveUpstream(false, this.tryResult());
    this.count();
    if (route !== null) {
      const hooks = route.onEnd;
      for (let index = 0; index < hooks.length; index++) {
        try {
          hooks[index]!(this);
        } catch (error) {
          runtime.reportError(error, route.name);
        }
      }
    }
    if (snapshot.accessLog !== null) snapshot.accessLog.write(runtime.accessEntry.of(this));
  }

  private tryResult(): number {
    if (this.answeredAt === 0) return RESULT_CANCELLED;
    return this.answeredBadly ? RESULT_SERVER_ERROR : RESULT_OK;
  }

  private count(): void {
    const { route } = this;
    const snapshot = this.snapshot!;
    const seconds = (this.endedAt - this.startedAt) / 1000;
    const position = this.status < 200 ? 0 : ((this.status / 100) | 0) - 1;
    if (route === null) {
      snapshot.unmatchedRequests.addAt(position, 1);
      snapshot.unmatchedDuration.observe(seconds);
      return;
    }
    route.requests.addAt(position, 1);
    route.duration.observe(seconds);
    if (route.service !== null) {
      if (this.requestBodyBytes > 0) route.service.bytes.addAt(0, this.requestBodyBytes);
      if (this.responseBodyBytes > 0) route.service.bytes.addAt(1, this.responseBodyBytes);
    }
  }

  private recycle(): void {
    const snapshot = this.snapshot!;
    this.phase = FREE;
    this.generation++;
    this.balancer = null;
    this.upstream = null;
    this.ownBody = null;
    this.held.clear();
    this.heldResponse.clear();
    if (this.tried.size > 0) this.tried.clear();
    this.clearView();
    this.runtime.endOn(snapshot);
    this.runtime.release(this);
  }
}

const NO_BYTES = Buffer.alloc(0);
const ASTERISK_HEADERS = { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" };
const NO_HOOKS: readonly never[] = [];
