// HOT
import { faults } from "../base/faults.ts";
import type { Fault } from "../base/faults.ts";
import {
  BODY_LENGTH,
  BODY_NONE,
  BODY_STREAM,
  BODY_TUNNEL,
  UPSTREAM_CLOSED,
  UPSTREAM_REFUSED,
} from "../wire/exchange-streams.ts";
import type { Guard } from "../upstream/guard.ts";
import type { UpstreamStream } from "../wire/exchange-streams.ts";
import { RESULT_BROKEN, RESULT_CANCELLED, RESULT_CONNECT } from "./exchange-life.ts";
import { ARRIVED, CONNECTING, RESPONDING, SENT, TUNNEL } from "./exchange-phase.ts";
import { ExchangeRequestBody } from "./exchange-request-body.ts";
import { forwardingLines } from "./forwarding.ts";
import type { CompiledService, Destination } from "./snapshot.ts";
import { isIdempotent, upstreamFault, wasConnecting } from "./upstream-fault.ts";
import { hostFor, prepareTarget } from "./upstream-request.ts";

/** Beyond the connect timeout, so that the pool's own verdict comes first. */
const QUEUE_GRACE_MS = 300;
/** The first retry asks for a new connection; where there is none to be had it may meet a stale one again. */
const STALE_RETRIES_MAX = 2;

/** How a service is asked: its targets one after the other, until one of them answers. */
export abstract class ExchangeTries extends ExchangeRequestBody {
  protected startService(destination: Destination): void {
    const { service } = destination;
    const { request } = this;
    this.destination = destination;
    this.upstreamTarget = prepareTarget(this, destination);
    this.upstreamLines = forwardingLines(this);
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
    this.pipelinable = this.requestBody === BODY_NONE && isIdempotent(this.request.method);
    const { totalMs } = this.destination!.timeouts;
    if (totalMs > 0) this.totalExpiresAtMs = this.runtime.wheel.nowMs + totalMs;
    service.retryBudget.onRequest();
    this.tryTarget(service, null);
  }

  /** @param last what the try before failed with; it is what the client gets when no target is left. */
  private tryTarget(service: CompiledService, last: Fault | null): void {
    const { balancer } = service;
    this.balancer = balancer;
    this.answeredStatus = 0;
    let refusal: Fault | null = null;
    if (service.guards.length > 0) {
      refusal = this.askGuards(service.guards);
      if (refusal !== null) {
        this.fail(last ?? refusal);
        return;
      }
    }
    let target = balancer.pick(this, this.tried);
    while (target !== undefined && target.guards.length > 0) {
      refusal = this.askGuards(target.guards);
      if (refusal === null) break;
      this.tried.add(target);
      target = balancer.pick(this, this.tried);
    }
    if (target === undefined) {
      this.leaveGuards(service.guards, RESULT_CANCELLED, 0);
      this.fail(last ?? refusal ?? faults["no-target"]);
      return;
    }
    this.target = target;
    this.attempts++;
    this.sentAt = 0;
    this.answeredAt = 0;
    balancer.started(target);
    this.tryIsOpen = true;
    this.phase = CONNECTING;
    const upstream = target.pool!.acquire(this);
    if (upstream !== null) this.onStream(upstream);
    else this.arm(this.destination!.timeouts.connectMs + QUEUE_GRACE_MS);
  }

  /** All of them let a try pass, or none counts it. */
  private askGuards(guards: readonly Guard[]): Fault | null {
    const { priority } = this;
    for (let index = 0; index < guards.length; index++) {
      const refusal = guards[index]!.admit(priority, this);
      if (refusal === null) continue;
      while (--index >= 0) guards[index]!.ended(RESULT_CANCELLED, 0, 0, this);
      return refusal;
    }
    return null;
  }

  onStream(upstream: UpstreamStream): void {
    const { request, held } = this;
    this.upstream = upstream;
    this.phase = SENT;
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
      this.arm(this.destination!.timeouts.responseMs);
    } else if (this.requestBody === BODY_TUNNEL) {
      this.arm(this.destination!.timeouts.responseMs);
    } else {
      this.armSending(upstream);
      // HTTP/2 says when a request was not begun, and then any may be sent again.
      const { isHttp2 } = this.destination!.service;
      this.keepsBody = isHttp2 || (upstream.reused && isIdempotent(request.method));
      if (!this.keepsBody) held.clear();
      if (!upstream.congested) this.drainRequest();
    }
  }

  onNoStream(cause: number): void {
    const service = this.destination!.service;
    const target = this.target!;
    if (wasConnecting(cause)) this.balancer!.unreachable(target);
    this.endTry(true, RESULT_CONNECT);
    this.phase = ARRIVED;
    this.tried.add(target);
    this.retryOrFail(service, upstreamFault(cause));
  }

  onUpstreamFailed(cause: number): void {
    const service = this.destination!.service;
    const upstream = this.upstream!;
    this.upstream = null;
    if (this.phase >= RESPONDING) {
      this.endTry(true, RESULT_BROKEN);
      this.breakOff(this.phase === TUNNEL ? null : faults["response-cut"]);
      return;
    }
    const again = this.canRepeat(cause) && this.wasNotBegun(cause, upstream);
    this.endTry(!again, RESULT_BROKEN);
    this.phase = ARRIVED;
    if (!again || service.retryAttempts === 0 || this.staleRetries >= STALE_RETRIES_MAX) {
      this.fail(upstreamFault(cause));
      return;
    }
    this.staleRetries++;
    service.retries.add(1);
    this.wantsFresh = true;
    this.tryTarget(service, upstreamFault(cause));
  }

  /**
   * The service closed a kept connection as the request was on its way, or said that it has not begun
   * with it (GOAWAY, REFUSED_STREAM): not a failure of the target, which may well be asked again.
   */
  private wasNotBegun(cause: number, upstream: UpstreamStream): boolean {
    return cause === UPSTREAM_REFUSED || (cause === UPSTREAM_CLOSED && upstream.reused);
  }

  /** Nothing of the response has come; may the request be sent a second time, and is it all still here? */
  private canRepeat(cause: number): boolean {
    if (this.phase !== SENT || this.requestBody === BODY_TUNNEL) return false;
    const whole =
      this.requestBody === BODY_NONE || (this.requestEnded && this.held.isWhole(this.sentBodySize));
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
}
