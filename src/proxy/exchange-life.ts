// HOT
import type { Fault } from "../base/faults.ts";
import { hedgeResult } from "../base/metrics/families.ts";
import type { Reply } from "../policy/reply.ts";
import type { Balancer } from "../upstream/balance/balancer.ts";
import { TriedSet } from "../upstream/balance/tried-set.ts";
import { NO_GRPC_STATUS } from "../upstream/grpc-status.ts";
import type { PoolClient } from "../upstream/target-pool.ts";
import type { UpstreamStream } from "../wire/exchange-streams.ts";
import { BODY_NONE } from "../wire/exchange-streams.ts";
import type { ClientEvents, ClientStream } from "../wire/exchange-streams.ts";
import type { Fields } from "../wire/fields.ts";
import type { BodyPipeline } from "./body-pipeline.ts";
import { reportTry, type Try } from "./admission.ts";
import { CONNECTING, FREE } from "./exchange-phase.ts";
import { ExchangeView } from "./exchange-view.ts";
import type { Fallback } from "./fallback.ts";
import type { HedgedTry } from "./hedged-try.ts";
import { HELD_BYTES_MAX, HeldBody } from "./held-body.ts";
import type { ProxyRuntime } from "./proxy-runtime.ts";
import type { PendingRefresh } from "./refreshes.ts";
import type { CompiledHooks, CompiledService, Snapshot } from "./snapshot.ts";
import {
  RESULT_CANCELLED,
  RESULT_FULL,
  RESULT_OK,
  RESULT_SERVER_ERROR,
  RESULT_TIMEOUT,
} from "./try-result.ts";
import { TimeBound } from "./time-bound.ts";
import type { TryWait } from "./try-wait.ts";

interface Cancellable {
  cancel(): void;
}

/**
 * How an exchange begins and ends, and how it lets go of the service in between. What happens in
 * between is in exchange-response.ts and exchange.ts, which extend this.
 */
export abstract class ExchangeLife extends ExchangeView implements ClientEvents, PoolClient, Try {
  pipelinable: boolean;
  wantsFresh: boolean;
  dialNumber: number;
  breakerTicket: number;
  fillsLimit: boolean;
  protected readonly runtime: ProxyRuntime;
  protected readonly tried: TriedSet;
  protected readonly held: HeldBody;
  protected generation: number;
  protected phase: number;
  balancer: Balancer | null;
  protected upstream: UpstreamStream | null;
  protected upstreamTarget: string;
  protected upstreamHost: string;
  protected upstreamLines: string;
  protected requestBody: number;
  protected requestEnded: boolean;
  protected responseEnded: boolean;
  protected clientPaused: boolean;
  protected upstreamPaused: boolean;
  protected responseBody: number;
  /** The response waits for a policy's promise. */
  protected responseHeld: boolean;
  protected heldResponse: HeldBody;
  protected ownBody: Buffer | null;
  /** What policies have asked to be done to the body; null almost always. */
  protected requestPipeline: BodyPipeline | null;
  protected responsePipeline: BodyPipeline | null;
  /** The response's head waits for stages. */
  protected headHeld: boolean;
  /** Of the clock of `ProxyRuntime.now`; 0 for never. */
  protected totalExpiresAtMs: number;
  protected staleRetries: number;
  /** The body is kept while it is sent: it may have to be sent again. */
  protected keepsBody: boolean;
  /** Beyond this it is not. */
  protected keptBytesMax: number;
  /** No event puts this off: the end of all, or of a try; 0 for none. */
  protected boundAtMs: number;
  /** Waits for it. Made when it is first needed. */
  private timeBound: TimeBound | null;
  protected retriesLeft: number;
  /** What the try failed with that is followed by another after a wait. */
  protected lastFault: Fault | null;
  /** An interim response has been passed on. */
  protected wasInformed: boolean;
  /** Made when it is first needed. */
  protected tryWait: TryWait | null;
  /** A second try beside the first; null almost always. */
  protected hedgedTry: HedgedTry | null;
  /** Status of the service's own answer, of gRPC's the one of HTTP that says the same; 0 before it. */
  answeredStatus: number;
  /** What the caller's own policies add, once the route's have all been met. */
  protected callerHooks: CompiledHooks | null;
  /** Those of the destination that the exchange has turned to; null almost always. */
  protected destinationHooks: CompiledHooks | null;
  /** What has been kept answers in place of the service, if the caller's own policies let it. */
  protected standIn: Reply | null;
  /** What is to be asked once it has been sent. */
  protected pendingRefresh: PendingRefresh | null;
  /** Where in the `onResponse` of the hooks it comes from those policies begin that see it. */
  protected standInFrom: number;
  /** What else may answer, once a service is asked; null almost always. */
  protected fallback: Fallback | null;
  /** The step of it that comes next. */
  protected fallbackAt: number;
  /** Some service has been sent the request, or part of it. */
  protected wasSent: boolean;
  /** What services are told of the client, worked out for the first of them. */
  protected forwardingText: string;
  /** A target counts this exchange among its requests in flight, and guards have let it pass. */
  protected tryIsOpen: boolean;
  /** Promises of policies that have not been settled. */
  protected waitCount: number;
  /** What policies have asked services on its behalf and wait for. */
  private readonly calls: Cancellable[];

  constructor(runtime: ProxyRuntime) {
    super();
    this.pipelinable = false;
    this.wantsFresh = false;
    this.dialNumber = 0;
    this.breakerTicket = 0;
    this.fillsLimit = false;
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
    this.requestPipeline = null;
    this.responsePipeline = null;
    this.headHeld = false;
    this.totalExpiresAtMs = 0;
    this.staleRetries = 0;
    this.keepsBody = false;
    this.keptBytesMax = HELD_BYTES_MAX;
    this.boundAtMs = 0;
    this.timeBound = null;
    this.retriesLeft = 0;
    this.lastFault = null;
    this.wasInformed = false;
    this.tryWait = null;
    this.hedgedTry = null;
    this.answeredStatus = 0;
    this.callerHooks = null;
    this.destinationHooks = null;
    this.standIn = null;
    this.pendingRefresh = null;
    this.standInFrom = 0;
    this.fallback = null;
    this.fallbackAt = 0;
    this.wasSent = false;
    this.forwardingText = "";
    this.tryIsOpen = false;
    this.waitCount = 0;
    this.calls = [];
  }

  get mayRefresh(): boolean {
    return this.runtime.refreshes.hasRoom;
  }

  abstract onRequest(stream: ClientStream, hasBody: boolean): void;
  abstract onRequestBody(bytes: Buffer, start: number, end: number): void;
  abstract onRequestEnd(trailers: Fields | null): void;
  abstract onClientDrain(): void;
  abstract onClientGone(): void;
  abstract onClientStalled(): void;
  abstract onRequestTimeout(): void;
  abstract onRequestMalformed(refusal: number): void;
  abstract onStream(upstream: UpstreamStream): void;
  abstract onNoStream(cause: number): void;
  abstract onInformational(): void;
  abstract onResponse(body: number): void;
  abstract onResponseBody(bytes: Buffer, start: number, end: number): void;
  abstract onResponseEnd(trailers: Fields | null): void;
  abstract onUpstreamDrain(): void;
  abstract onUpstreamFailed(cause: number): void;

  /** Tells the balancer and the metrics how a try ended; once for each, whoever notices first. */
  protected endTry(failed: boolean, result: number): void {
    if (!this.tryIsOpen) return;
    this.tryIsOpen = false;
    const until = this.answeredAt === 0 ? this.runtime.now() : this.answeredAt;
    const wasAsked = failed || this.phase !== CONNECTING;
    const latencyMs = wasAsked ? until - this.sentAt : 0;
    reportTry(this, this.destination!.service, failed, result, latencyMs);
  }

  protected noteFault(fault: Fault): void {
    this.fault = fault;
    this.snapshot!.faultCounter(fault.name).add(1);
  }

  protected pauseClient(): void {
    if (this.clientPaused) return;
    this.clientPaused = true;
    this.stream!.pauseBody();
  }

  protected resumeClient(): void {
    this.clientPaused = false;
    this.stream!.resumeBody();
  }

  protected resumeUpstream(): void {
    this.upstreamPaused = false;
    if (this.upstream !== null) this.upstream.resumeBody();
  }

  /** A call that has no use once this exchange is over. */
  addCall(call: Cancellable): void {
    this.calls.push(call);
  }

  removeCall(call: Cancellable): void {
    const index = this.calls.indexOf(call);
    if (index >= 0) this.calls.splice(index, 1);
  }

  cancelCalls(): void {
    while (this.calls.length > 0) this.calls.pop()!.cancel();
  }

  /** Lets go of whatever was under way towards services. */
  protected leaveUpstream(failed: boolean, result: number): void {
    this.cancelCalls();
    const { upstream } = this;
    if (upstream !== null) {
      this.upstream = null;
      upstream.abort(this);
    } else if (this.phase === CONNECTING) {
      result = this.leaveLine(result);
      failed &&= result !== RESULT_FULL;
    }
    this.endTry(failed, result);
    if (this.tryWait !== null) this.leaveWaits(this.tryWait);
  }

  /**
   * Waits for no connection any more.
   *
   * @returns how the try has ended: that no connection of ours has come free in time is not the target's doing
   */
  protected leaveLine(result: number): number {
    const wasDialing = this.target!.pool!.cancel(this);
    return result === RESULT_TIMEOUT && !wasDialing ? RESULT_FULL : result;
  }

  private leaveWaits(wait: TryWait): void {
    const { hedgedTry } = this;
    this.runtime.waits.clear(wait);
    this.hedgedTry = null;
    if (hedgedTry === null) return;
    hedgedTry.drop(RESULT_CANCELLED);
    this.noteHedge(hedgeResult.lost);
  }

  /** @param outcome a position of `hedgeResult` */
  protected noteHedge(outcome: number): void {
    this.hedgeOutcome = outcome;
    this.destination!.service.hedges.addAt(outcome, 1);
  }

  /** @param afterMs 0 for never */
  protected arm(afterMs: number): void {
    this.runtime.wheel.set(this, afterMs);
  }

  /** @param atMs of the clock of `ProxyRuntime.now`; 0 for never */
  protected boundBy(atMs: number): void {
    if (atMs === this.boundAtMs) return;
    this.boundAtMs = atMs;
    const { runtime } = this;
    if (atMs > 0) {
      this.timeBound ??= new TimeBound(this);
      runtime.waits.set(this.timeBound, Math.max(0, atMs - runtime.now()));
    } else if (this.timeBound !== null) {
      runtime.waits.clear(this.timeBound);
    }
  }

  /** @internal for TimeBound */
  abstract onBound(): void;

  protected breakOff(fault: Fault | null): void {
    if (fault !== null) this.noteFault(fault);
    const { stream } = this;
    this.stream = null;
    if (stream !== null) stream.abort();
    this.finish();
  }

  /** The end is sent once everything is noted, since what follows on the connection may reuse this object. */
  protected finishWith(stream: ClientStream, trailers: Fields | null): void {
    this.settle(stream);
    stream.sendEnd(trailers);
    this.recycle();
  }

  protected finish(): void {
    this.settle(this.stream);
    this.recycle();
  }

  protected settle(stream: ClientStream | null): void {
    this.endedAt = this.runtime.now();
    this.runtime.wheel.clear(this);
    this.boundBy(0);
    this.stream = stream;
    if (this.requestPipeline !== null || this.responsePipeline !== null) this.dropPipelines();
    if (this.clientPaused && stream !== null) stream.resumeBody();
    this.leaveUpstream(false, this.tryResult());
    this.record();
  }

  /** Whatever their stages still say is heard by nobody. */
  protected dropPipelines(): void {
    const { requestPipeline, responsePipeline } = this;
    this.requestPipeline = null;
    this.responsePipeline = null;
    this.headHeld = false;
    if (requestPipeline !== null) requestPipeline.dispose();
    if (responsePipeline !== null) responsePipeline.dispose();
  }

  /** @internal What `dispose` of a stage has thrown changes nothing any more. */
  reportStage(error: unknown): void {
    this.runtime.reportError(error, this.routeName);
  }

  /** Counts the exchange, and shows it to policies and to the log. */
  protected record(): void {
    const { runtime, route } = this;
    const snapshot = this.snapshot!;
    this.count();
    if (this.destinationHooks !== null) this.runEndHooks(this.destinationHooks);
    if (this.callerHooks !== null) this.runEndHooks(this.callerHooks);
    if (route !== null) this.runEndHooks(route.hooks);
    if (snapshot.accessLog !== null) snapshot.accessLog.write(runtime.accessEntry.of(this));
  }

  protected runEndHooks({ onEnd }: CompiledHooks): void {
    for (let index = 0; index < onEnd.length; index++) {
      try {
        onEnd[index]!(this);
      } catch (error) {
        this.runtime.reportError(error, this.routeName);
      }
    }
  }

  protected tryResult(): number {
    if (this.answeredAt === 0) return RESULT_CANCELLED;
    return this.answeredStatus >= 500 ? RESULT_SERVER_ERROR : RESULT_OK;
  }

  protected count(): void {
    const { route } = this;
    const snapshot = this.snapshot!;
    const seconds = (this.endedAt - this.startedAt) / 1000;
    const position = this.status < 200 ? 0 : ((this.status / 100) | 0) - 1;
    if (route === null) {
      snapshot.unmatchedRequests.addAt(position, 1);
      snapshot.unmatchedDuration.observe(seconds);
      return;
    }
    const { destination } = this;
    const own = destination === null ? null : destination.requests;
    (own ?? route.requests).addAt(position, 1);
    route.duration.observe(seconds);
    if (destination === null) return;
    this.countBytes(destination.service);
    if (this.grpcStatus !== NO_GRPC_STATUS) this.countGrpc(destination.service);
  }

  private countGrpc({ grpcResponses }: CompiledService): void {
    // What the client got in its place was not gRPC's.
    if (this.ownBody !== null) this.grpcStatus = NO_GRPC_STATUS;
    else if (grpcResponses !== null) grpcResponses.addAt(this.grpcStatus, 1);
  }

  protected countBytes({ bytes }: CompiledService): void {
    if (this.requestBodyBytes > 0) bytes.addAt(0, this.requestBodyBytes);
    if (this.responseBodyBytes > 0) bytes.addAt(1, this.responseBodyBytes);
  }

  protected recycle(): void {
    const snapshot = this.snapshot!;
    this.phase = FREE;
    this.generation++;
    this.balancer = null;
    this.upstream = null;
    this.lastFault = null;
    this.ownBody = null;
    this.callerHooks = null;
    this.destinationHooks = null;
    this.standIn = null;
    this.pendingRefresh = null;
    this.standInFrom = 0;
    this.fallback = null;
    this.fallbackAt = 0;
    this.wasSent = false;
    this.held.clear();
    this.heldResponse.clear();
    if (this.tried.size > 0) this.tried.clear();
    this.clearView();
    this.giveBack(snapshot);
  }

  /** Nothing holds the snapshot or this object any more. */
  protected giveBack(snapshot: Snapshot): void {
    this.runtime.endOn(snapshot);
    // A policy that still waits holds this object, and may say who is calling once it knows: nobody else's
    // request may be in it then.
    if (this.waitCount === 0) this.runtime.release(this);
  }
}
