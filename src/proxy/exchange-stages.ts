// HOT
import { Fault } from "../base/faults.ts";
import type { BodyStage } from "../policy/body-stage.ts";
import type { Reply } from "../policy/reply.ts";
import { BODY_NONE, BODY_TUNNEL } from "../wire/exchange-streams.ts";
import { BodyPipeline } from "./body-pipeline.ts";
import type { PipelineOwner } from "./body-pipeline.ts";
import { ExchangeLife } from "./exchange-life.ts";
import { ANSWERED, ARRIVED } from "./exchange-phase.ts";

/**
 * What policies ask to be done to bodies. What comes out of their stages goes on in exchange-request-body.ts
 * and exchange-response.ts, which extend this.
 */
export abstract class ExchangeStages extends ExchangeLife {
  get requestHasBody(): boolean {
    return this.request.hasBody;
  }

  get responseHasBody(): boolean {
    if (this.phase < ANSWERED || !this.responseMayHaveBody) return false;
    if (this.ownBody !== null) return this.ownBody.length > 0;
    return this.responseBody !== BODY_NONE && this.response.contentLength !== 0;
  }

  protected get responseMayHaveBody(): boolean {
    const { status } = this.response;
    if (this.request.method === "HEAD" || status === 204 || status === 304) return false;
    return this.ownBody !== null || this.responseBody !== BODY_TUNNEL;
  }

  stageRequest(stage: BodyStage): void {
    if (this.phase !== ARRIVED || this.requestPipeline?.isStarted === true) {
      throw new Error("stageRequest is for onRequest");
    }
    (this.requestPipeline ??= new BodyPipeline(new RequestWay(this))).add(stage);
  }

  stageResponse(stage: BodyStage): void {
    if (this.phase !== ANSWERED || this.responsePipeline?.isStarted === true) {
      throw new Error("stageResponse is for onResponse");
    }
    (this.responsePipeline ??= new BodyPipeline(new ResponseWay(this))).add(stage);
    // For policies that come after, which may go by it.
    if (!stage.isTransparent) this.response.fields.remove("content-length");
  }

  /** What a stage has failed with, as an answer. */
  protected answerOf(verdict: unknown): Fault | Reply {
    if (verdict instanceof Fault || isReply(verdict)) return verdict;
    return this.runtime.reportError(verdict, this.routeName);
  }

  /** @internal */
  abstract get requestOutCongested(): boolean;
  /** @internal */
  abstract onRequestOut(bytes: Buffer, start: number, end: number): void;
  /** @internal */
  abstract onRequestOutEnd(): void;
  /** @internal */
  abstract onRequestHeadFree(): void;
  /** @internal */
  abstract onRequestStageFailed(verdict: unknown): void;
  /** @internal */
  abstract onRequestInReady(): void;
  /** @internal */
  abstract get responseOutCongested(): boolean;
  /** @internal */
  abstract onResponseOut(bytes: Buffer, start: number, end: number): void;
  /** @internal */
  abstract onResponseOutEnd(): void;
  /** @internal */
  abstract onResponseHeadFree(): void;
  /** @internal */
  abstract onResponseStageFailed(verdict: unknown): void;
  /** @internal */
  abstract onResponseInReady(): void;

  /** @internal Until it is settled nobody else is given this object: it may say who is calling here. */
  // cold: only where a stage has to wait
  awaitWork(work: Promise<unknown>): void {
    this.waitCount++;
    const settled = (): void => {
      this.waitCount--;
    };
    work.then(settled, settled);
  }
}

function isReply(verdict: unknown): verdict is Reply {
  const candidate = verdict as Partial<Reply> | null | undefined;
  return typeof candidate?.status === "number" && Buffer.isBuffer(candidate.body);
}

/** What the two directions of an exchange have in common. */
abstract class Way {
  protected readonly exchange: ExchangeStages;

  constructor(exchange: ExchangeStages) {
    this.exchange = exchange;
  }

  onAwait(work: Promise<unknown>): void {
    this.exchange.awaitWork(work);
  }

  onDisposeFailed(error: unknown): void {
    this.exchange.reportStage(error);
  }
}

/** From the client to the service. */
class RequestWay extends Way implements PipelineOwner {
  get outCongested(): boolean {
    return this.exchange.requestOutCongested;
  }

  onOut(bytes: Buffer, start: number, end: number): void {
    this.exchange.onRequestOut(bytes, start, end);
  }

  onOutEnd(): void {
    this.exchange.onRequestOutEnd();
  }

  onHeadFree(): void {
    this.exchange.onRequestHeadFree();
  }

  onStageFailed(verdict: unknown): void {
    this.exchange.onRequestStageFailed(verdict);
  }

  onInReady(): void {
    this.exchange.onRequestInReady();
  }
}

/** From the service, or the gateway itself, to the client. */
class ResponseWay extends Way implements PipelineOwner {
  get outCongested(): boolean {
    return this.exchange.responseOutCongested;
  }

  onOut(bytes: Buffer, start: number, end: number): void {
    this.exchange.onResponseOut(bytes, start, end);
  }

  onOutEnd(): void {
    this.exchange.onResponseOutEnd();
  }

  onHeadFree(): void {
    this.exchange.onResponseHeadFree();
  }

  onStageFailed(verdict: unknown): void {
    this.exchange.onResponseStageFailed(verdict);
  }

  onInReady(): void {
    this.exchange.onResponseInReady();
  }
}
