// HOT
import { eventNow } from "../base/event-clock.ts";
import { Fault } from "../base/faults.ts";
import type { Verdict } from "../policy/policy.ts";
import type { Reply } from "../policy/reply.ts";
import { BODY_LENGTH, BODY_NONE, BODY_TUNNEL } from "../wire/exchange-streams.ts";
import type { ClientStream } from "../wire/exchange-streams.ts";
import type { Fields } from "../wire/fields.ts";
import { reasonOf } from "../wire/http1/write-message.ts";
import { CONTENT_LENGTH } from "../wire/known-header.ts";
import {
  ExchangeLife,
  RESULT_BROKEN,
  RESULT_CANCELLED,
  RESULT_OK,
  RESULT_TIMEOUT,
} from "./exchange-life.ts";
import { ANSWERED, RESPONDING, TUNNEL } from "./exchange-phase.ts";
import { httpDate } from "./http-date.ts";
import { ownAnswer } from "./own-answer.ts";
import type { CompiledHooks } from "./snapshot.ts";

/**
 * The way back: the service's response, or one of the gateway's own, through the policies to the
 * client.
 */
export abstract class ExchangeResponse extends ExchangeLife {
  /** The caller's policies first, since the request met them last. */
  protected startResponseHooks(): void {
    this.runResponseHooks(this.callerHooks ?? this.routeHooks(), 0);
  }

  private routeHooks(): CompiledHooks {
    return this.route === null ? NO_HOOKS : this.route.hooks;
  }

  private runResponseHooks(hooks: CompiledHooks, from: number): void {
    const { onResponse } = hooks;
    for (let index = from; index < onResponse.length; index++) {
      let verdict: Verdict | Promise<Verdict>;
      try {
        verdict = onResponse[index]!(this);
      } catch (error) {
        verdict = this.runtime.reportError(error, this.routeName);
      }
      if (verdict === undefined) continue;
      if (verdict instanceof Promise) {
        this.awaitResponseHook(verdict, hooks, index + 1);
        return;
      }
      this.replaceResponse(verdict);
      return;
    }
    if (hooks === this.callerHooks) this.runResponseHooks(this.routeHooks(), 0);
    else this.sendResponseHead();
  }

  // cold: only where a policy has to wait
  private awaitResponseHook(promise: Promise<Verdict>, hooks: CompiledHooks, next: number): void {
    const { generation } = this;
    this.waitCount++;
    this.responseHeld = true;
    this.upstreamPaused = true;
    if (this.upstream !== null) this.upstream.pauseBody();
    const goOn = (verdict: Verdict): void => {
      this.waitCount--;
      if (this.generation !== generation || this.phase !== ANSWERED) return;
      this.responseHeld = false;
      if (verdict === undefined) this.runResponseHooks(hooks, next);
      else this.replaceResponse(verdict);
    };
    promise.then(goOn, (error: unknown) => {
      const { routeName } = this;
      // What is over has called off what its policies waited for.
      goOn(this.generation === generation ? this.runtime.reportError(error, routeName) : undefined);
    });
  }

  /** A policy answers in place of the service; no policy looks at what it says. */
  protected replaceResponse(verdict: Reply | Fault): void {
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

  protected sendResponseHead(): void {
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
    if (this.upstreamPaused && heldResponse.size === 0 && !heldResponse.ended)
      this.resumeUpstream();
    else if (heldResponse.size > 0 || heldResponse.ended) this.releaseHeldResponse(stream);
  }

  /** Sends what came while a policy was looking at the head. */
  protected releaseHeldResponse(stream: ClientStream): void {
    const { heldResponse } = this;
    this.responseBodyBytes += heldResponse.size;
    heldResponse.sendTo(stream);
    const { ended, trailers } = heldResponse;
    heldResponse.clear();
    if (ended) this.onResponseEnd(trailers);
    else if (!stream.congested) this.resumeUpstream();
  }

  onInformational(): void {
    this.stream!.sendInformational(this.response);
  }

  onResponse(body: number): void {
    this.phase = ANSWERED;
    this.answeredAt = eventNow();
    this.responseBody = body;
    const { response } = this;
    this.answeredBadly = response.status >= 500;
    if (response.status === 204) response.fields.removeId(CONTENT_LENGTH);
    this.addSessionCookie();
    this.startResponseHooks();
  }

  /** Tells the client what makes it come back to the same target. */
  protected addSessionCookie(): void {
    const cookie = this.balancer!.responseCookie(this, this.target!);
    if (cookie !== undefined) this.response.fields.add("set-cookie", cookie);
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

  protected answer(status: number, headers: Readonly<Record<string, string>>, body: Buffer): void {
    this.fillOwnHead(status, headers, body);
    this.ownBody = body;
    this.phase = ANSWERED;
    this.startResponseHooks();
  }

  protected fillOwnHead(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
  ): void {
    const { response } = this;
    response.reset(status, reasonOf(status));
    response.fields.add("date", httpDate());
    for (const name in headers) response.fields.add(name, headers[name]!);
    if (status !== 204 && status !== 304)
      response.fields.add("content-length", String(body.length));
  }

  protected sendOwn(stream: ClientStream, body: Buffer): void {
    const { status } = this.response;
    const bodiless =
      body.length === 0 || this.request.method === "HEAD" || status === 204 || status === 304;
    this.phase = RESPONDING;
    stream.sendHead(this.response, bodiless ? BODY_NONE : BODY_LENGTH);
    if (!bodiless) {
      this.responseBodyBytes += body.length;
      stream.sendBody(body, 0, body.length);
    }
    this.stream = null;
    this.finishWith(stream, null);
  }

  protected obey(verdict: Reply | Fault): void {
    if (verdict instanceof Fault) this.fail(verdict);
    else this.answer(verdict.status, verdict.headers, verdict.body);
  }

  /** Answers with a fault, or breaks the response off if its head is out. */
  protected fail(fault: Fault): void {
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
    if (fault.type.closes && this.stream !== null) this.stream.closeAfterResponse();
    this.ownBody = ownAnswer(this, fault);
    this.phase = ANSWERED;
    this.startResponseHooks();
  }
}

const NO_HOOKS: CompiledHooks = { onPreflight: [], onRequest: [], onResponse: [], onEnd: [] };
