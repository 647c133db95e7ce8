// HOT
import { forgone, hedgeResult } from "../base/metrics/families.ts";
import type { HedgePolicy } from "../upstream/retry/hedge-policy.ts";
import { BODY_NONE, type UpstreamStream } from "../wire/exchange-streams.ts";
import { SENT } from "./exchange-phase.ts";
import { ExchangeRetries, REPEATABLE } from "./exchange-retries.ts";
import { HedgedTry, type HedgeOwner } from "./hedged-try.ts";
import { RESULT_CANCELLED, RESULT_OK, RESULT_SERVER_ERROR } from "./try-result.ts";
import { hostFor } from "./upstream-request.ts";

/**
 * A second try beside the first that takes long, to another target: what answers first is the answer. It is paid
 * for as a retry is, and made of what may be repeated only.
 */
export abstract class ExchangeHedges extends ExchangeRetries implements HedgeOwner {
  /** The request has been sent to its first target. */
  protected awaitHedge(hedge: HedgePolicy): void {
    const { afterMs } = hedge;
    // What has failed before is not hedged as well.
    if (afterMs === 0 || this.attempts > 1 || this.balancer!.targets.length < 2) return;
    if (this.repeatObstacle === REPEATABLE) this.waitFor(afterMs);
  }

  protected startHedge(): void {
    const { service } = this.destination!;
    if (this.upstream === null || this.wasInformed) return;
    this.noteTried(this.target!);
    if (this.balancer!.targets.length <= this.tried.size) return;
    if (!service.retryBudget.take()) {
      this.forgo(forgone.budget);
      return;
    }
    const hedge = new HedgedTry(this, service, this.runtime);
    this.hedgedTry = hedge;
    if (hedge.start(this.tried, this.priority)) this.attempts++;
    else this.hedgedTry = null;
  }

  sendHedge(hedge: HedgedTry, upstream: UpstreamStream): void {
    const { held, requestBody } = this;
    const host = hostFor(this, this.destination!, hedge.target!);
    upstream.sendHead(this.request, this.upstreamTarget, host, this.upstreamLines, requestBody);
    if (held.size > 0) held.sendTo(upstream);
    if (requestBody !== BODY_NONE) upstream.sendEnd(held.trailers);
  }

  /** Whatever a service would have tried again, and any error of its own, does not win over who may do better. */
  onHedgeAnswer(hedge: HedgedTry, body: number): void {
    const { answeredStatus } = hedge;
    const { status, fields } = hedge.response;
    const { retry, hedge: policy } = this.destination!;
    if (answeredStatus >= 500 || retry.judge(status, fields) >= 0) {
      this.hedgedTry = null;
      this.noteHedge(hedgeResult.failed);
      hedge.drop(answeredStatus >= 500 ? RESULT_SERVER_ERROR : RESULT_OK);
      return;
    }
    policy!.observe(this.runtime.now() - this.sentAt);
    const { upstream } = this;
    const { observers } = this.target!;
    if (upstream !== null) upstream.abort(this);
    for (let index = 0; index < observers.length; index++) observers[index]!.overtaken?.();
    this.endTry(false, RESULT_CANCELLED);
    this.adopt(hedge);
    this.onResponse(body);
  }

  onHedgeFailed(): void {
    this.hedgedTry = null;
    this.noteHedge(hedgeResult.failed);
  }

  protected turnToHedge(failed: boolean, result: number): boolean {
    const { hedgedTry, upstream } = this;
    if (hedgedTry === null || this.phase !== SENT || !hedgedTry.hasStream) {
      this.dropHedge();
      return false;
    }
    this.upstream = null;
    if (upstream !== null) upstream.abort(this);
    this.endTry(failed, result);
    this.adopt(hedgedTry);
    this.arm(this.destination!.timeouts.responseMs);
    return true;
  }

  /** The second try is the exchange's own from now on. */
  private adopt(hedge: HedgedTry): void {
    this.hedgedTry = null;
    hedge.adopt();
    this.response = hedge.response;
    this.balancer = hedge.balancer;
    this.target = hedge.target;
    this.breakerTicket = hedge.breakerTicket;
    this.fillsLimit = hedge.fillsLimit;
    this.upstream = hedge;
    this.sentAt = hedge.sentAt;
    this.answeredAt = 0;
    this.answeredStatus = 0;
    this.tryIsOpen = true;
    this.boundBy(this.totalExpiresAtMs);
    this.noteHedge(hedgeResult.won);
  }

  /** The first try is what counts, however it ends. */
  protected dropHedge(): void {
    const { hedgedTry, tryWait } = this;
    if (tryWait !== null) this.runtime.waits.clear(tryWait);
    if (hedgedTry === null) return;
    this.hedgedTry = null;
    hedgedTry.drop(RESULT_CANCELLED);
    this.noteHedge(hedgeResult.lost);
  }

  /** How long first tries take; where a second has come to help, `onHedgeAnswer` tells. */
  protected observeAnswer(hedge: HedgePolicy): void {
    if (this.attempts === 1 || this.hedgedTry !== null)
      hedge.observe(this.runtime.now() - this.sentAt);
  }
}
