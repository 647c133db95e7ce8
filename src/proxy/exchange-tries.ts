// HOT
import { Fault, faults } from "../base/faults.ts";
import {
  BODY_LENGTH,
  BODY_NONE,
  BODY_STREAM,
  BODY_TUNNEL,
  UPSTREAM_CLOSED,
  UPSTREAM_REFUSED,
} from "../wire/exchange-streams.ts";
import { RETRY_CONNECT, RETRY_RESET, RETRY_STATUS } from "../upstream/retry/retry-policy.ts";
import { readGrpcStatus, toldStatusOf } from "../upstream/grpc-status.ts";
import type { UpstreamStream } from "../wire/exchange-streams.ts";
import type { Fields } from "../wire/fields.ts";
import { admitTry, tellAnswer } from "./admission.ts";
import type { Exchange } from "../policy/exchange.ts";
import { drilledStream } from "./drilled-stream.ts";
import { ExchangeFallback } from "./exchange-fallback.ts";
import { ARRIVED, CONNECTING, RESPONDING, SENT, TUNNEL } from "./exchange-phase.ts";
import { forwardingLines } from "./forwarding.ts";
import { HELD_BYTES_MAX } from "./held-body.ts";
import type { CompiledService, Destination } from "./snapshot.ts";
import { noStreamResult, RESULT_BROKEN } from "./try-result.ts";
import { isIdempotent, upstreamFault, wasConnecting, wasReset } from "./upstream-fault.ts";
import { hostFor, prepareTarget } from "./upstream-request.ts";

/** Beyond the connect timeout, so that the pool's own verdict comes first. */
const QUEUE_GRACE_MS = 300;
/** The first retry asks for a new connection; where there is none to be had it may meet a stale one again. */
const STALE_RETRIES_MAX = 2;

/** How a service is asked: its targets one after the other, until one of them answers. */
export abstract class ExchangeTries extends ExchangeFallback {
  protected startService(destination: Destination): void {
    const { service } = destination;
    const { request } = this;
    this.destination = destination;
    this.upstreamTarget = prepareTarget(this, destination);
    // What a trusted proxy has said is taken out of the request's head then.
    if (this.fallbackKind === "") this.forwardingText = forwardingLines(this);
    this.upstreamLines = this.forwardingText;
    const { identity, snapshot } = this;
    if (identity !== null && snapshot!.identityHeaders !== null) {
      this.upstreamLines += snapshot!.identityHeaders.linesOf(identity);
    }
    if (request.upgradeIndex >= 0 && service.isHttp2) {
      this.fail(faults["upgrade-refused"]);
      return;
    }
    if (request.upgradeIndex >= 0 && !request.hasBody) this.requestBody = BODY_TUNNEL;
    else if (request.chunked) this.requestBody = BODY_STREAM;
    else this.requestBody = request.contentLength > 0 ? BODY_LENGTH : BODY_NONE;
    this.startTries(service);
  }

  /** What is to be sent is known: the service's targets are tried, one after the other. */
  protected startTries(service: CompiledService): void {
    const { timeouts, retry } = this.destination!;
    this.pipelinable = this.requestBody === BODY_NONE && isIdempotent(this.request.method);
    if (this.fallback === null) this.fallback = this.fallbackOf(this.destination!);
    if (timeouts.totalMs > 0) this.boundTotal(timeouts.totalMs);
    const { serviceFailure } = this;
    if (serviceFailure !== null) {
      this.drill(serviceFailure);
      return;
    }
    this.retriesLeft = retry.attempts;
    if (this.tried.size > 0) this.tried.clear();
    service.retryBudget.onRequest();
    this.tryTarget(null);
  }

  /**
   * The service fails once it has all of the request, as most that fail do: what is too long to be kept is lost by then
   * to the service that may stand in.
   */
  // cold: only in a drill
  private drill(failure: (exchange: Exchange) => Fault): void {
    const { fallback, request, requestBody } = this;
    const hasBody = requestBody === BODY_LENGTH || requestBody === BODY_STREAM;
    // One that is not sent before the service wants it is not asked for.
    const awaitsEnd = hasBody && !this.requestEnded && !request.expectContinue;
    if (!awaitsEnd || fallback === null || !fallback.resends(request.method)) {
      this.failUnasked(failure);
      return;
    }
    this.upstream = drilledStream;
    this.phase = SENT;
    this.wasSent = true;
    this.keepsBody = this.mayHaveToResend(drilledStream);
    this.drainRequest();
  }

  protected tryTarget(last: Fault | null): void {
    const { service, timeouts, retry } = this.destination!;
    const { balancer } = service;
    this.balancer = balancer;
    this.answeredStatus = 0;
    const target = admitTry(this, service, this, this.tried, this.priority);
    if (target instanceof Fault) {
      this.fail(last ?? target);
      return;
    }
    this.target = target;
    this.attempts++;
    this.sentAt = this.runtime.now();
    this.answeredAt = 0;
    balancer.started(target);
    this.tryIsOpen = true;
    this.phase = CONNECTING;
    if (retry.perTryMs > 0) this.boundTry(retry.perTryMs);
    const upstream = target.pool!.acquire(this);
    if (upstream !== null) this.onStream(upstream);
    else this.arm(timeouts.connectMs + QUEUE_GRACE_MS);
  }

  /** Another service has what is left of the time, or less. */
  private boundTotal(totalMs: number): void {
    const expiresAtMs = this.runtime.now() + totalMs;
    const { totalExpiresAtMs } = this;
    if (totalExpiresAtMs === 0 || expiresAtMs < totalExpiresAtMs)
      this.totalExpiresAtMs = expiresAtMs;
    this.boundBy(this.totalExpiresAtMs);
  }

  private boundTry(perTryMs: number): void {
    const { totalExpiresAtMs } = this;
    const expiresAtMs = this.runtime.now() + perTryMs;
    const isLast = totalExpiresAtMs > 0 && totalExpiresAtMs < expiresAtMs;
    this.boundBy(isLast ? totalExpiresAtMs : expiresAtMs);
  }

  onStream(upstream: UpstreamStream): void {
    const { request, held } = this;
    this.upstream = upstream;
    this.phase = SENT;
    this.wasSent = true;
    this.sentAt = this.runtime.now();
    this.upstreamHost = hostFor(this, this.destination!, this.target!);
    upstream.sendHead(
      request,
      this.upstreamTarget,
      this.upstreamHost,
      this.upstreamLines,
      this.requestBody,
    );
    if (held.size > 0) held.sendTo(upstream);
    if (this.requestEnded) {
      if (this.requestBody === BODY_LENGTH || this.requestBody === BODY_STREAM) {
        upstream.sendEnd(held.trailers);
      }
      this.onRequestSent();
    } else if (this.requestBody === BODY_TUNNEL) {
      this.arm(this.destination!.timeouts.responseMs);
    } else {
      // How long the client takes is nothing of the service's: `perTry` counts from the last byte.
      this.boundBy(this.totalExpiresAtMs);
      this.armSending(upstream);
      this.keepsBody = this.mayHaveToResend(upstream);
      if (!this.keepsBody) held.clear();
      if (!upstream.congested) this.drainRequest();
    }
  }

  private mayHaveToResend(upstream: UpstreamStream): boolean {
    const { service, retry, hedge } = this.destination!;
    this.keptBytesMax = HELD_BYTES_MAX;
    if ((retry.repeats || hedge !== null) && this.isSafe) {
      if (retry.bodyBytesMax > HELD_BYTES_MAX) this.keptBytesMax = retry.bodyBytesMax;
      return true;
    }
    const { method } = this.request;
    if (this.fallback !== null && this.fallback.resends(method)) {
      this.keptBytesMax = Math.max(HELD_BYTES_MAX, retry.bodyBytesMax);
      return true;
    }
    // HTTP/2 says when a request was not begun, and then any may be sent again.
    return service.isHttp2 || (upstream.reused && isIdempotent(method));
  }

  protected onRequestWhole(): void {
    if (this.serviceFailure !== null) {
      this.failUnasked(this.serviceFailure);
      return;
    }
    const { perTryMs } = this.destination!.retry;
    this.sentAt = this.runtime.now();
    if (perTryMs > 0) this.boundTry(perTryMs);
    this.onRequestSent();
  }

  /** All of the request has been sent: its answer is awaited. */
  private onRequestSent(): void {
    const { timeouts, hedge } = this.destination!;
    this.arm(timeouts.responseMs);
    if (hedge !== null) this.awaitHedge(hedge);
  }

  onNoStream(cause: number): void {
    if (wasConnecting(cause)) this.balancer!.unreachable(this.target!);
    this.endTry(true, noStreamResult(cause));
    const fault = upstreamFault(cause);
    if (this.retryFailure(RETRY_CONNECT, fault)) return;
    this.phase = ARRIVED;
    this.fail(fault);
  }

  override onInformational(): void {
    // Another target may be the one that answers.
    if (this.hedgedTry !== null) return;
    this.wasInformed = true;
    super.onInformational();
  }

  override onResponse(body: number): void {
    this.noteAnswer();
    const { retry, hedge } = this.destination!;
    if (hedge !== null) this.observeAnswer(hedge);
    if ((retry.on & RETRY_STATUS) !== 0 && this.retryAnswer()) return;
    if (hedge !== null) this.dropHedge();
    // From here the deadlines of a response count.
    this.boundBy(this.totalExpiresAtMs);
    if (this.fallback !== null && this.fallBackFromAnswer(this.fallback)) return;
    super.onResponse(body);
  }

  /** The guards hear of every answer, also of one that is tried again or that something else stands in for. */
  private noteAnswer(): void {
    this.answeredAt = this.runtime.now();
    this.answeredStatus = this.response.status;
    if (this.destination!.service.isHttp2) this.noteGrpc(this.response.fields);
    tellAnswer(this, this.destination!.service, this.answeredAt - this.sentAt);
  }

  protected noteTrailers(trailers: Fields): void {
    if (this.destination!.service.isHttp2) this.noteGrpc(trailers);
  }

  private noteGrpc(fields: Fields): void {
    const grpcStatus = readGrpcStatus(fields);
    this.grpcStatus = grpcStatus;
    this.answeredStatus = toldStatusOf(this.answeredStatus, grpcStatus, this.request.fields);
  }

  onUpstreamFailed(cause: number): void {
    const upstream = this.upstream!;
    this.upstream = null;
    if (this.phase >= RESPONDING) {
      this.endTry(true, RESULT_BROKEN);
      this.breakOff(this.phase === TUNNEL ? null : faults["response-cut"]);
      return;
    }
    const refused = cause === UPSTREAM_REFUSED;
    const unbegun = this.wasNotBegun(cause, upstream);
    const again = unbegun && this.canResend(refused);
    if (this.turnToHedge(!again, RESULT_BROKEN)) return;
    this.endTry(!again, RESULT_BROKEN);
    const fault = upstreamFault(cause);
    if (again && this.staleRetries < STALE_RETRIES_MAX) {
      if (this.takeResend()) {
        this.phase = ARRIVED;
        this.staleRetries++;
        this.wantsFresh = true;
        this.tryTarget(fault);
        return;
      }
    } else if (wasReset(cause) && this.retryFailure(RETRY_RESET, fault)) return;
    if (unbegun && !again) this.forgoResend(refused);
    this.phase = ARRIVED;
    this.fail(fault);
  }

  /**
   * The service closed a kept connection as the request was on its way, or said that it has not begun
   * with it (GOAWAY, REFUSED_STREAM): not a failure of the target, which may well be asked again.
   */
  private wasNotBegun(cause: number, upstream: UpstreamStream): boolean {
    return cause === UPSTREAM_REFUSED || (cause === UPSTREAM_CLOSED && upstream.reused);
  }
}
