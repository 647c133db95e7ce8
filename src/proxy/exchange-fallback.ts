// HOT
import type { Fault } from "../base/faults.ts";
import type { Exchange } from "../policy/exchange.ts";
import type { Reply } from "../policy/reply.ts";
import { NO_GRPC_STATUS, nameOfGrpcStatus } from "../upstream/grpc-status.ts";
import { BODY_NONE, BODY_TUNNEL } from "../wire/exchange-streams.ts";
import { ExchangeHedges } from "./exchange-hedges.ts";
import { ANSWERED, ARRIVED } from "./exchange-phase.ts";
import type { Fallback, FallbackStep, ServiceStep } from "./fallback.ts";
import type { CompiledHooks, Destination } from "./snapshot.ts";
import { RESULT_TIMEOUT } from "./try-result.ts";
import { isIdempotent } from "./upstream-fault.ts";

const FALLBACK_HEADER = "gateward-fallback";

/**
 * What answers where a service cannot, before anything of an answer has gone to the client: the steps of the
 * destination that the exchange turned to first, each at most once. What fails on the way goes on with the next.
 */
export abstract class ExchangeFallback extends ExchangeHedges {
  protected abstract turnTo(destination: Destination): void;

  /** null where what is asked has nobody waiting who would be better off with another answer. */
  protected fallbackOf(destination: Destination): Fallback | null {
    return destination.fallback;
  }

  protected override fail(fault: Fault): void {
    const { fallback } = this;
    if (fallback !== null && this.phase < ANSWERED && fallback.takesFault(fault)) {
      if (this.fallBack(fallback, fault.name, true, RESULT_TIMEOUT)) return;
    }
    this.fallbackKind = "";
    super.fail(fault);
  }

  /** A drill: what follows is what would follow if the service had been sent the request, and had failed so. */
  // cold: only where a policy has the service fail
  protected failUnasked(failure: (exchange: Exchange) => Fault): void {
    const { fallback } = this;
    const fault = failure(this);
    this.wasSent = true;
    if (fault.whose !== "upstream" && fallback !== null && fallback.takesStatus(fault.status)) {
      if (this.fallBack(fallback, fault.name, true, RESULT_TIMEOUT)) return;
    }
    this.fail(fault);
  }

  /** The same of an answer that has just come, and has been told to nobody. */
  protected fallBackFromAnswer(fallback: Fallback): boolean {
    const { answeredStatus, grpcStatus } = this;
    if (!fallback.takesStatus(answeredStatus)) return false;
    // Where HTTP itself tells a failure, what may stand beside it in gRPC says nothing more.
    const isToldByHttp = answeredStatus === this.response.status;
    const failure = isToldByHttp ? String(answeredStatus) : nameOfGrpcStatus(grpcStatus);
    return this.fallBack(fallback, failure, false, this.tryResult());
  }

  // cold: only where a service has failed
  private fallBack(fallback: Fallback, failure: string, failed: boolean, result: number): boolean {
    const { steps } = fallback;
    while (this.fallbackAt < steps.length) {
      const step = steps[this.fallbackAt++]!;
      if (step.kind === "service") {
        if (!this.maySendTo(step)) continue;
        this.leaveUpstream(failed, result);
        this.noteFallback(step, failure);
        this.askInstead(step);
        return true;
      }
      if (step.kind === "respond") {
        this.leaveUpstream(failed, result);
        this.overtake();
        this.noteFallback(step, failure);
        const { status, headers, body } = step.answer(this);
        this.responseIsFromService = false;
        this.answer(status, headers, body);
        return true;
      }
      if (this.giveKept(step, failure, failed, result)) return true;
    }
    return false;
  }

  private noteFallback(step: FallbackStep, failure: string): void {
    if (this.failure === "") this.failure = failure;
    this.fallbackKind = step.kind;
    step.taken.add(1);
  }

  // Another service

  /** Nothing of it may be lost, and what it may matter to get twice nobody gets twice. */
  private maySendTo({ destination, unsafe }: ServiceStep): boolean {
    const { totalExpiresAtMs, requestPipeline } = this;
    if (totalExpiresAtMs > 0 && this.runtime.now() >= totalExpiresAtMs) return false;
    if (this.wasInformed) return false;
    if (this.wasSent && !unsafe && !isIdempotent(this.request.method)) return false;
    if (this.requestBody === BODY_TUNNEL) return !this.wasSent && !destination.service.isHttp2;
    // Its policies could not have the body pass stages of their own any more.
    if (requestPipeline !== null && destination.hooks !== null) return false;
    return this.requestBody === BODY_NONE || this.held.isWhole(this.sentBodySize);
  }

  private askInstead({ destination, undo }: ServiceStep): void {
    const { request } = this;
    this.phase = ARRIVED;
    this.serviceFailure = null;
    this.sentAt = 0;
    this.answeredAt = 0;
    this.answeredStatus = 0;
    this.grpcStatus = NO_GRPC_STATUS;
    this.staleRetries = 0;
    this.wantsFresh = false;
    this.lastFault = null;
    this.boundBy(this.totalExpiresAtMs);
    this.arm(0);
    // It may be gone already; the line is written anew.
    if (request.hostIndex >= 0) request.fields.removeAt(request.hostIndex);
    request.hostIndex = -1;
    if (undo !== null) undo(this);
    this.turnTo(destination);
  }

  // What has been kept

  private giveKept(step: FallbackStep, failure: string, failed: boolean, result: number): boolean {
    const { destinationHooks } = this;
    if (destinationHooks !== null) {
      const at = this.keptBy(destinationHooks);
      if (at >= 0) {
        this.leaveWithKept(step, failure, failed, result);
        this.standInFrom = 0;
        this.runResponseHooks(destinationHooks, at);
        return true;
      }
    }
    const { hooks } = this.route!;
    const from = this.keptBy(hooks);
    if (from < 0) return false;
    this.leaveWithKept(step, failure, failed, result);
    const { callerHooks } = this;
    this.standInFrom = from;
    if (callerHooks !== null) this.runResponseHooks(callerHooks, 0);
    else this.runResponseHooks(hooks, from);
    return true;
  }

  /** @returns where in `onResponse` of the hooks those begin that see what one of them has kept; -1 for nothing */
  private keptBy({ standbys }: CompiledHooks): number {
    for (let index = 0; index < standbys.length; index++) {
      const { onServiceFailed, outward } = standbys[index]!;
      let kept: Reply | undefined;
      try {
        kept = onServiceFailed(this);
      } catch (error) {
        this.runtime.reportError(error, this.routeName);
      }
      if (kept === undefined) continue;
      this.standIn = kept;
      return outward;
    }
    return -1;
  }

  private leaveWithKept(
    step: FallbackStep,
    failure: string,
    failed: boolean,
    result: number,
  ): void {
    const kept = this.standIn!;
    this.leaveUpstream(failed, result);
    this.overtake();
    this.noteFallback(step, failure);
    this.fillReply(kept);
    this.responseIsFromService = true;
    this.ownBody = kept.body;
    this.phase = ANSWERED;
  }

  protected tellFallback(): void {
    if (this.fallback!.tells) this.response.fields.set(FALLBACK_HEADER, this.fallbackKind);
  }
}
