// HOT
import { Fault } from "../base/faults.ts";
import type { BalanceRequest, Balancer } from "../upstream/balance/balancer.ts";
import type { Target } from "../upstream/balance/target.ts";
import type { TriedSet } from "../upstream/balance/tried-set.ts";
import { NO_GRPC_STATUS, readGrpcStatus, toldStatusOf } from "../upstream/grpc-status.ts";
import type { PoolClient } from "../upstream/target-pool.ts";
import type { UpstreamStream } from "../wire/exchange-streams.ts";
import type { Fields } from "../wire/fields.ts";
import type { RequestHead } from "../wire/http1/request-head.ts";
import { ResponseHead } from "../wire/http1/response-head.ts";
import { noStreamResult, RESULT_BROKEN } from "./try-result.ts";
import { admitTry, reportTry, type Try } from "./admission.ts";
import type { CompiledService } from "./snapshot.ts";
import { wasConnecting } from "./upstream-fault.ts";

/** Milliseconds that never go back. */
interface TryClock {
  now(): number;
}

/** The exchange on whose behalf it is made. */
export interface HedgeOwner extends PoolClient, BalanceRequest {
  /** Sends all of the request. */
  sendHedge(hedge: HedgedTry, upstream: UpstreamStream): void;
  /** The head of its answer has come before any other. */
  onHedgeAnswer(hedge: HedgedTry, body: number): void;
  /** It has failed, and is over. */
  onHedgeFailed(): void;
}

/**
 * A second try of a request while the first goes on. It stands between the exchange and the stream: what comes is
 * the exchange's own once that has adopted it, and the exchange takes it for its stream then.
 *
 *     exchange  <--- own events ---  first stream
 *         ^
 *         +--- once adopted ---  HedgedTry  <---  second stream
 */
export class HedgedTry implements PoolClient, UpstreamStream, Try {
  readonly request: RequestHead;
  readonly response: ResponseHead;
  readonly pipelinable: boolean;
  readonly wantsFresh: boolean;
  readonly balancer: Balancer;
  target: Target | null;
  dialNumber: number;
  breakerTicket: number;
  fillsLimit: boolean;
  answeredStatus: number;
  sentAt: number;
  isAdopted: boolean;
  private readonly owner: HedgeOwner;
  private readonly clock: TryClock;
  private readonly service: CompiledService;
  private upstream: UpstreamStream | null;
  private isOpen: boolean;

  constructor(owner: HedgeOwner, service: CompiledService, clock: TryClock) {
    this.request = owner.request;
    this.response = new ResponseHead();
    this.pipelinable = owner.pipelinable;
    this.wantsFresh = false;
    this.balancer = service.balancer;
    this.target = null;
    this.dialNumber = 0;
    this.breakerTicket = 0;
    this.fillsLimit = false;
    this.answeredStatus = 0;
    this.sentAt = clock.now();
    this.isAdopted = false;
    this.owner = owner;
    this.clock = clock;
    this.service = service;
    this.upstream = null;
    this.isOpen = false;
  }

  /** @returns false where no target is to be had */
  start(tried: TriedSet, priority: number): boolean {
    const target = admitTry(this, this.service, this.owner, tried, priority);
    if (target instanceof Fault) return false;
    this.target = target;
    this.isOpen = true;
    this.balancer.started(target);
    const upstream = target.pool!.acquire(this);
    if (upstream !== null) this.onStream(upstream);
    return true;
  }

  get hasStream(): boolean {
    return this.upstream !== null;
  }

  /** Lets go of the target, which is not to blame for what its answer comes to. */
  drop(result: number): void {
    const { upstream } = this;
    this.upstream = null;
    if (upstream === null) this.target!.pool!.cancel(this);
    else upstream.abort(this);
    this.end(false, result, upstream === null ? 0 : this.waitedMs());
  }

  private waitedMs(): number {
    return this.clock.now() - this.sentAt;
  }

  private end(failed: boolean, result: number, latencyMs: number): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    reportTry(this, this.service, failed, result, latencyMs);
  }

  // PoolClient

  onStream(upstream: UpstreamStream): void {
    this.upstream = upstream;
    this.sentAt = this.clock.now();
    this.owner.sendHedge(this, upstream);
  }

  onNoStream(cause: number): void {
    if (wasConnecting(cause)) this.balancer.unreachable(this.target!);
    this.end(true, noStreamResult(cause), this.waitedMs());
    this.owner.onHedgeFailed();
  }

  onInformational(): void {
    if (this.isAdopted) this.owner.onInformational();
  }

  onResponse(body: number): void {
    if (this.isAdopted) {
      this.owner.onResponse(body);
      return;
    }
    const { status, fields } = this.response;
    const grpcStatus = this.service.isHttp2 ? readGrpcStatus(fields) : NO_GRPC_STATUS;
    this.answeredStatus = toldStatusOf(status, grpcStatus, this.request.fields);
    this.owner.onHedgeAnswer(this, body);
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    this.owner.onResponseBody(bytes, start, end);
  }

  onResponseEnd(trailers: Fields | null): void {
    this.owner.onResponseEnd(trailers);
  }

  onUpstreamDrain(): void {
    if (this.isAdopted) this.owner.onUpstreamDrain();
  }

  onUpstreamFailed(cause: number): void {
    if (this.isAdopted) {
      this.owner.onUpstreamFailed(cause);
      return;
    }
    this.upstream = null;
    this.end(true, RESULT_BROKEN, this.waitedMs());
    this.owner.onHedgeFailed();
  }

  // UpstreamStream, once it is adopted

  /** The exchange reports how it ended from now on. */
  adopt(): void {
    this.isAdopted = true;
    this.isOpen = false;
  }

  get congested(): boolean {
    return this.upstream!.congested;
  }

  get reused(): boolean {
    return this.upstream!.reused;
  }

  /** The request has been sent before it was adopted. */
  sendHead(): void {}
  sendBody(): void {}
  sendEnd(): void {}

  pauseBody(): void {
    this.upstream!.pauseBody();
  }

  resumeBody(): void {
    this.upstream!.resumeBody();
  }

  abort(): void {
    this.upstream!.abort(this);
  }
}
