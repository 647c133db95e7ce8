// HOT
import { Fault } from "../base/faults.ts";
import type { Verdict } from "../policy/policy.ts";
import type { Reply } from "../policy/reply.ts";
import { BODY_LENGTH, BODY_NONE, BODY_STREAM, BODY_TUNNEL } from "../wire/exchange-streams.ts";
import type { ClientStream } from "../wire/exchange-streams.ts";
import type { Fields } from "../wire/fields.ts";
import { CONTENT_LENGTH } from "../wire/known-header.ts";
import type { BodyPipeline } from "./body-pipeline.ts";
import { ExchangeAnswer, isStandIn } from "./exchange-answer.ts";
import { RESULT_OK } from "./try-result.ts";
import { ANSWERED, RESPONDING, TUNNEL } from "./exchange-phase.ts";
import { NO_HOOKS } from "./no-hooks.ts";
import { ownAnswer } from "./own-answer.ts";
import type { CompiledHooks } from "./snapshot.ts";

/**
 * The way back: the service's response, or one of the gateway's own, through the policies to the
 * client.
 */
export abstract class ExchangeResponse extends ExchangeAnswer {
  /** Says to the client that not the service itself has answered. */
  protected abstract tellFallback(): void;

  /** Those of the destination first, then the caller's: the request met them last. */
  protected startResponseHooks(): void {
    if (this.tellDrill !== null) this.tellDrill(this);
    this.runResponseHooks(this.destinationHooks ?? this.callerHooks ?? this.routeHooks(), 0);
  }

  private routeHooks(): CompiledHooks {
    return this.route === null ? NO_HOOKS : this.route.hooks;
  }

  protected runResponseHooks(hooks: CompiledHooks, from: number): void {
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
      if (!isStandIn(verdict)) {
        this.replaceResponse(verdict);
        return;
      }
      this.takeStandIn(verdict);
    }
    const { callerHooks, destinationHooks } = this;
    // To all others it is not that of the service that they are there for.
    if (hooks === destinationHooks && this.fallbackKind === "service")
      this.responseIsFromService = false;
    if (hooks === destinationHooks && callerHooks !== null) this.runResponseHooks(callerHooks, 0);
    else if (hooks === destinationHooks || hooks === callerHooks)
      this.runResponseHooks(this.routeHooks(), this.standInFrom);
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
      if (verdict !== undefined && !isStandIn(verdict)) {
        this.replaceResponse(verdict);
        return;
      }
      if (verdict !== undefined) this.takeStandIn(verdict);
      this.runResponseHooks(hooks, next);
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
    this.dropPipelines();
    this.heldResponse.clear();
    this.responseIsFromService = false;
    if (verdict instanceof Fault) {
      this.noteFault(verdict);
      this.ownBody = ownAnswer(this, verdict);
    } else {
      this.ownBody = verdict.body;
      this.fillReply(verdict);
    }
    this.sendResponseHead();
  }

  /** What a service has answered before goes on in place of what it answers now. */
  private takeStandIn(reply: Reply): void {
    this.leaveUpstream(false, RESULT_OK);
    this.dropPipelines();
    this.heldResponse.clear();
    this.responseIsFromService = true;
    this.ownBody = reply.body;
    this.fillReply(reply);
  }

  protected sendResponseHead(): void {
    const stream = this.stream!;
    const { response, heldResponse, responsePipeline } = this;
    if (this.fallbackKind !== "") this.tellFallback();
    if (responsePipeline !== null && this.startResponseStages(responsePipeline)) return;
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
    else if (this.responseBody !== BODY_NONE) this.arm(this.destination!.timeouts.idleMs);
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
    this.responseIsFromService = this.fallbackKind === "" || this.destinationHooks !== null;
    this.responseBody = body;
    const { response } = this;
    if (response.status === 204) response.fields.removeId(CONTENT_LENGTH);
    this.addSessionCookie();
    this.startResponseHooks();
  }

  /** Tells the client what makes it come back to the same target, or to the same branch of a split. */
  protected addSessionCookie(): void {
    const cookie = this.balancer!.responseCookie(this, this.target!);
    if (cookie !== undefined) this.response.fields.add("set-cookie", cookie);
    const own = this.route!.split?.responseCookie(this);
    if (own !== undefined) this.response.fields.add("set-cookie", own);
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    if (this.responseHeld) {
      this.heldResponse.keep(bytes, start, end);
      return;
    }
    if (this.responsePipeline !== null) {
      this.stageResponseBody(this.responsePipeline, bytes, start, end);
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
      this.arm(
        this.phase === TUNNEL ? this.snapshot!.tunnelIdleMs : this.destination!.timeouts.idleMs,
      );
    }
  }

  onClientDrain(): void {
    if (this.responsePipeline !== null) {
      this.responsePipeline.drain();
      return;
    }
    if (!this.upstreamPaused || this.responseHeld) return;
    this.resumeUpstream();
    this.arm(
      this.phase === TUNNEL ? this.snapshot!.tunnelIdleMs : this.destination!.timeouts.idleMs,
    );
  }

  /** Before the response ends with them. */
  protected abstract noteTrailers(trailers: Fields): void;

  onResponseEnd(trailers: Fields | null): void {
    if (trailers !== null) this.noteTrailers(trailers);
    if (this.responseHeld) {
      this.heldResponse.ended = true;
      this.heldResponse.trailers = trailers;
      this.partFromUpstream();
      return;
    }
    const { responsePipeline } = this;
    if (responsePipeline !== null) {
      this.partFromUpstream();
      responsePipeline.end(trailers);
      if (!responsePipeline.isClosed) this.arm(0);
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

  /**
   * All of the response has come, and the exchange goes on. With its request sent the stream has gone back to
   * its pool. Else the rest of the request is of no use, and must not send it there in the middle of it.
   */
  private partFromUpstream(): void {
    const { upstream } = this;
    this.upstream = null;
    if (upstream !== null && !this.requestEnded) upstream.abort(this);
  }

  // Stages

  /** @returns false where the response may have no body, and goes on without them. */
  private startResponseStages(pipeline: BodyPipeline): boolean {
    const { heldResponse, ownBody } = this;
    if (!this.responseMayHaveBody) {
      this.responsePipeline = null;
      pipeline.dispose();
      return false;
    }
    const { ended, trailers } = heldResponse;
    const pieces = heldResponse.takeAll();
    heldResponse.clear();
    this.headHeld = true;
    pipeline.start();
    for (let index = 0; index < pieces.length; index++) {
      pipeline.write(pieces[index]!, 0, pieces[index]!.length);
    }
    if (ownBody !== null) pipeline.write(ownBody, 0, ownBody.length);
    if (ownBody !== null || ended) pipeline.end(trailers);
    if (!pipeline.isClosed && !pipeline.holdsHead) this.sendStagedHead(pipeline);
    if (!pipeline.isClosed && !pipeline.isInEnded) this.readOn(pipeline);
    return true;
  }

  private stageResponseBody(
    pipeline: BodyPipeline,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    pipeline.write(bytes, start, end);
    if (!pipeline.isClosed) this.readOn(pipeline);
  }

  /** Holds the service back where stages take no more. */
  private readOn(pipeline: BodyPipeline): void {
    if (pipeline.congested) {
      this.upstreamPaused = true;
      if (this.upstream !== null) this.upstream.pauseBody();
      // The client's own deadline counts now, or none: the stage is busy.
      this.arm(0);
    } else {
      if (this.upstreamPaused) this.resumeUpstream();
      this.arm(this.destination!.timeouts.idleMs);
    }
  }

  /** What stages had to see before the head is told has been seen. */
  private sendStagedHead(pipeline: BodyPipeline): void {
    const stream = this.stream!;
    const { response, heldResponse } = this;
    const { fields, status } = response;
    this.headHeld = false;
    this.status = status;
    this.phase = RESPONDING;
    if (status === 204 || status === 304) {
      // A stage may have made it so.
      fields.remove("content-length");
      stream.sendHead(response, BODY_NONE);
      this.endStaged(pipeline);
      return;
    }
    const { size } = heldResponse;
    let body = BODY_STREAM;
    if (pipeline.isOutEnded && pipeline.outTrailers === null) {
      body = size > 0 ? BODY_LENGTH : BODY_NONE;
      const length = String(size);
      if (fields.get("content-length") !== length) fields.set("content-length", length);
    } else if (pipeline.isTransparent && this.ownBody === null) {
      body = this.responseBody;
    } else {
      fields.remove("content-length");
    }
    stream.sendHead(response, body);
    this.responseBodyBytes += size;
    heldResponse.sendTo(stream);
    heldResponse.clear();
    if (pipeline.isOutEnded) this.endStaged(pipeline);
    else pipeline.drain();
  }

  /** Stages hold the head, and more of the body is to come. */
  protected get awaitsBody(): boolean {
    return this.headHeld && this.upstream !== null;
  }

  private endStaged(pipeline: BodyPipeline): void {
    this.finishWith(this.stream!, pipeline.outTrailers);
  }

  get responseOutCongested(): boolean {
    return !this.headHeld && this.stream!.congested;
  }

  onResponseOut(bytes: Buffer, start: number, end: number): void {
    if (this.headHeld) {
      this.heldResponse.keep(bytes, start, end);
      return;
    }
    this.responseBodyBytes += end - start;
    this.stream!.sendBody(bytes, start, end);
  }

  onResponseOutEnd(): void {
    if (!this.headHeld) this.endStaged(this.responsePipeline!);
  }

  onResponseHeadFree(): void {
    this.sendStagedHead(this.responsePipeline!);
  }

  onResponseInReady(): void {
    const pipeline = this.responsePipeline!;
    if (this.upstreamPaused && !pipeline.congested && !pipeline.isInEnded) this.readOn(pipeline);
  }

  onResponseStageFailed(verdict: unknown): void {
    const answer = this.answerOf(verdict);
    if (this.headHeld) {
      this.replaceResponse(answer);
      return;
    }
    this.leaveUpstream(false, this.tryResult());
    this.breakOff(answer instanceof Fault ? answer : null);
  }
}
