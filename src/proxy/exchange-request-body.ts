// HOT
import { Fault, faults } from "../base/faults.ts";
import type { UpstreamStream } from "../wire/exchange-streams.ts";
import type { Fields } from "../wire/fields.ts";
import { NO_LENGTH } from "../wire/http1/request-head.ts";
import { CONTENT_LENGTH, EXPECT } from "../wire/known-header.ts";
import type { BodyPipeline } from "./body-pipeline.ts";
import { RESULT_CANCELLED } from "./try-result.ts";
import { ARRIVED, CONNECTING, RESPONDING, SENT, TUNNEL } from "./exchange-phase.ts";
import { ExchangeResponse } from "./exchange-response.ts";

/**
 * The request's body: held while there is nobody to send it to, sent as it comes, put through the stages
 * that policies have asked for.
 */
export abstract class ExchangeRequestBody extends ExchangeResponse {
  /** Policies are through with the request's head, and with its body as far as they hold the head. */
  protected abstract passOn(): void;

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    this.requestBodyBytes += end - start;
    const bodyMax = this.bodyBytesMax;
    if (bodyMax > 0 && this.requestBodyBytes > bodyMax && this.phase !== TUNNEL) {
      this.fail(faults["body-too-large"]);
      return;
    }
    const pipeline = this.requestPipeline;
    if (pipeline !== null && pipeline.isStarted && this.phase !== TUNNEL) {
      pipeline.write(bytes, start, end);
      if (!pipeline.isClosed && pipeline.congested) this.pauseClient();
      return;
    }
    this.onRequestOut(bytes, start, end);
    if (this.isSendingHeldBack) this.pauseClient();
  }

  /** What goes to the service, or is held until it can. */
  onRequestOut(bytes: Buffer, start: number, end: number): void {
    const { upstream } = this;
    if (upstream === null) {
      if (this.phase === ARRIVED || this.phase === CONNECTING) this.held.keep(bytes, start, end);
      return;
    }
    if (this.keepsBody) this.keepForRetry(bytes, start, end);
    upstream.sendBody(bytes, start, end);
    if (this.phase === TUNNEL) this.arm(this.snapshot!.tunnelIdleMs);
    else if (this.phase === SENT) this.armSending(upstream);
  }

  private get isSendingHeldBack(): boolean {
    const { upstream } = this;
    if (upstream !== null) return upstream.congested;
    return (this.phase === ARRIVED || this.phase === CONNECTING) && this.held.isFull;
  }

  protected armSending(upstream: UpstreamStream): void {
    this.arm(upstream.congested ? this.destination!.timeouts.requestMs : 0);
  }

  private keepForRetry(bytes: Buffer, start: number, end: number): void {
    if (this.held.size >= this.keptBytesMax) {
      this.keepsBody = false;
      this.held.clear();
    } else {
      this.held.keep(bytes, start, end);
    }
  }

  onRequestEnd(trailers: Fields | null): void {
    const { identityHeaders } = this.snapshot!;
    // Some servers join trailers to the head.
    if (trailers !== null && identityHeaders !== null) identityHeaders.strip(trailers);
    const pipeline = this.requestPipeline;
    if (pipeline !== null && pipeline.isStarted && this.phase !== TUNNEL) pipeline.end(trailers);
    else this.endRequest(trailers);
  }

  private endRequest(trailers: Fields | null): void {
    this.requestEnded = true;
    this.held.trailers = trailers;
    const { upstream } = this;
    if (upstream === null) return;
    upstream.sendEnd(trailers);
    if (this.phase === TUNNEL) {
      if (this.responseEnded) this.finish();
      return;
    }
    if (this.phase === SENT) this.onRequestWhole();
  }

  /** The client has sent the last of it while it was passed on: from here on the service alone is waited for. */
  protected abstract onRequestWhole(): void;

  onUpstreamDrain(): void {
    this.drainRequest();
    if (this.phase === SENT && !this.requestEnded) this.arm(0);
  }

  /** The service takes more. */
  protected drainRequest(): void {
    const pipeline = this.requestPipeline;
    if (pipeline !== null && !pipeline.isOutEnded) pipeline.drain();
    else if (this.clientPaused) this.resumeClient();
  }

  /** Bytes of the body that are for the service. */
  protected get sentBodySize(): number {
    const pipeline = this.requestPipeline;
    return pipeline === null ? this.requestBodyBytes : pipeline.outSize;
  }

  // Stages

  /** The request is passed on at once, or once no stage holds it any more. */
  protected startRequestStages(pipeline: BodyPipeline): void {
    const { held, requestEnded } = this;
    const { trailers } = held;
    const pieces = held.takeAll();
    held.trailers = null;
    this.requestEnded = false;
    pipeline.start();
    if (pipeline.holdsHead && !requestEnded) this.inviteBody();
    for (let index = 0; index < pieces.length; index++) {
      pipeline.write(pieces[index]!, 0, pieces[index]!.length);
    }
    if (requestEnded) pipeline.end(trailers);
    if (pipeline.isClosed) return;
    if (!requestEnded) this.onRequestInReady();
    if (!pipeline.holdsHead) this.passOnStaged(pipeline);
  }

  /** The client waits to be told that its body is wanted (RFC 9110 section 10.1.1); no service is asked yet. */
  private inviteBody(): void {
    const { request, response } = this;
    if (!request.expectContinue) return;
    request.expectContinue = false;
    request.fields.removeId(EXPECT);
    response.reset(100, "Continue");
    this.stream!.sendInformational(response);
    response.reset(0, "");
  }

  private passOnStaged(pipeline: BodyPipeline): void {
    this.tellBodySize(pipeline);
    this.passOn();
  }

  private tellBodySize(pipeline: BodyPipeline): void {
    const { request } = this;
    const { outSize, isOutEnded } = pipeline;
    if (isOutEnded) {
      // With trailers it is the body that came, and stays as it was framed.
      if (this.held.trailers !== null) return;
      if (outSize === request.contentLength && request.fields.has("content-length")) return;
      if (outSize === 0 && !request.hasBody) return;
    }
    request.chunked = !isOutEnded;
    request.contentLength = isOutEnded ? outSize : NO_LENGTH;
    request.fields.removeId(CONTENT_LENGTH);
    if (isOutEnded) request.fields.set("content-length", String(outSize));
    // With a body it asks for no other protocol: what follows the head would be read as that.
    if (request.hasBody) request.upgradeIndex = -1;
  }

  /** While stages hold the head, they bound what they send. */
  get requestOutCongested(): boolean {
    return this.phase !== ARRIVED && this.isSendingHeldBack;
  }

  onRequestOutEnd(): void {
    this.endRequest(this.requestPipeline!.outTrailers);
  }

  onRequestHeadFree(): void {
    this.passOnStaged(this.requestPipeline!);
  }

  onRequestInReady(): void {
    if (this.clientPaused && !this.requestPipeline!.congested) this.resumeClient();
  }

  onRequestStageFailed(verdict: unknown): void {
    const answer = this.answerOf(verdict);
    if (answer instanceof Fault) {
      this.fail(answer);
      return;
    }
    this.leaveUpstream(false, RESULT_CANCELLED);
    if (this.phase >= RESPONDING) {
      this.breakOff(null);
      return;
    }
    this.overtake();
    this.obey(answer);
  }
}
