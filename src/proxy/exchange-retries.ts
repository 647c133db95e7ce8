// HOT
import { faults } from "../base/faults.ts";
import type { Fault } from "../base/faults.ts";
import { forgone } from "../base/metrics/families.ts";
import type { Target } from "../upstream/balance/target.ts";
import {
  ANSWER_PUTS_OFF,
  RETRY_CONNECT,
  RETRY_REFUSED,
  RETRY_RESET,
  RETRY_STATUS,
  RETRY_TIMEOUT,
} from "../upstream/retry/retry-policy.ts";
import { BODY_NONE, BODY_TUNNEL } from "../wire/exchange-streams.ts";
import { ARRIVED, CONNECTING, SENT } from "./exchange-phase.ts";
import { ExchangeRequestBody } from "./exchange-request-body.ts";
import { RESULT_TIMEOUT } from "./try-result.ts";
import { TryWait } from "./try-wait.ts";
import { isIdempotent } from "./upstream-fault.ts";

const NO_RETRY = -1;
export const REPEATABLE = -1;

/**
 * Whether, when and where a request is tried again: only what may be repeated, within the policy's attempts, the
 * service's budget and the exchange's time, and never once a byte of a response has gone to the client.
 */
export abstract class ExchangeRetries extends ExchangeRequestBody {
  /** @param last what the try before failed with; it is what the client gets when no target is left. */
  protected abstract tryTarget(last: Fault | null): void;
  /** The wait for a second target beside the first is over. */
  protected abstract startHedge(): void;
  /** @returns true where a second try goes on in place of the first, which has ended so. */
  protected abstract turnToHedge(failed: boolean, result: number): boolean;

  /**
   * Tries again what has failed, at once or after a wait. The try has been ended; `phase` is still that in which
   * it failed.
   *
   * @returns false where the failure stands
   */
  protected retryFailure(reason: number, fault: Fault): boolean {
    const waitMs = this.planRetry(reason, 0);
    if (waitMs === NO_RETRY) return false;
    this.retryIn(waitMs, fault);
    return true;
  }

  /** The same of an answer that has just come; what is left of it is thrown away. */
  protected retryAnswer(): boolean {
    const { status, fields } = this.response;
    const askedMs = this.destination!.retry.judge(status, fields);
    if (askedMs < 0) {
      if (askedMs === ANSWER_PUTS_OFF && this.retriesLeft > 0) this.forgo(forgone.asked);
      return false;
    }
    if (this.turnToHedge(false, this.tryResult())) return true;
    const waitMs = this.planRetry(RETRY_STATUS, askedMs);
    if (waitMs === NO_RETRY) return false;
    this.leaveTry(false, this.tryResult());
    this.retryIn(waitMs, null);
    return true;
  }

  /** The same where there is no answer in time. The try is under way still. */
  protected retryTimeout(): boolean {
    if (this.phase === SENT && this.turnToHedge(true, RESULT_TIMEOUT)) return true;
    const fault = faults[this.phase === SENT ? "response-timeout" : "queue-timeout"];
    const waitMs = this.planRetry(RETRY_TIMEOUT, 0);
    if (waitMs === NO_RETRY) return false;
    this.leaveTry(this.phase === SENT, RESULT_TIMEOUT);
    this.retryIn(waitMs, fault);
    return true;
  }

  private leaveTry(failed: boolean, result: number): void {
    const { upstream } = this;
    this.upstream = null;
    if (upstream !== null) upstream.abort(this);
    else if (this.phase === CONNECTING) result = this.leaveLine(result);
    this.endTry(failed, result);
  }

  /**
   * Decides on another try, and pays for it.
   *
   * @param askedMs what the service wants waited for, 0 for nothing
   * @returns how long to wait, or NO_RETRY
   */
  private planRetry(reason: number, askedMs: number): number {
    const { retry, service } = this.destination!;
    if ((retry.on & reason) === 0 || this.retriesLeft === 0) return NO_RETRY;
    const isUnsent = reason === RETRY_CONNECT || this.phase === CONNECTING;
    const obstacle = isUnsent ? REPEATABLE : this.repeatObstacle;
    if (obstacle !== REPEATABLE) return this.forgo(obstacle);
    this.noteTried(this.target!);
    const { tried } = this;
    const targets = this.balancer!.targets.length;
    const isElsewhere = targets > tried.size;
    // Who could not be reached, or was too slow, gets no second blow.
    if (!isElsewhere && (isUnsent || reason === RETRY_TIMEOUT)) return this.forgo(forgone.target);
    const number = retry.attempts - this.retriesLeft + 1;
    let waitMs = askedMs;
    if (askedMs === 0 && !isUnsent) waitMs = retry.backoffMs(number, this.runtime.random);
    if (!this.hasTimeFor(waitMs)) return this.forgo(forgone.time);
    const { retryBudget } = service;
    // What no service has got is no work for it, but a network that is gone is not to be stormed either.
    const isPaid = isUnsent ? retryBudget.takeOnCredit() : retryBudget.take();
    if (!isPaid) return this.forgo(forgone.budget);
    this.retriesLeft--;
    this.noteRetry(reason);
    if (!isElsewhere) {
      tried.clear();
      if (targets > 1) tried.add(this.target!);
    }
    return waitMs;
  }

  /** Pays for sending again what its service has not begun with. */
  protected takeResend(): boolean {
    if (this.destination!.service.retryBudget.takeOnCredit()) {
      this.noteRetry(RETRY_REFUSED);
      return true;
    }
    this.forgo(forgone.budget);
    return false;
  }

  private noteRetry(reason: number): void {
    this.retriedFor = reason;
    // RETRY_ bits are in the order of the label's values.
    this.destination!.service.retries.addAt(31 - Math.clz32(reason), 1);
  }

  protected forgo(reason: number): number {
    this.retryForgone = reason;
    this.destination!.service.retriesForgone.addAt(reason, 1);
    return NO_RETRY;
  }

  protected noteTried(target: Target): void {
    if (!this.tried.has(target)) this.tried.add(target);
  }

  private hasTimeFor(waitMs: number): boolean {
    const { totalExpiresAtMs } = this;
    return totalExpiresAtMs === 0 || this.runtime.now() + waitMs < totalExpiresAtMs;
  }

  /** Why a request that has been sent may not be sent again, or cannot: one of `forgone`, or REPEATABLE. */
  protected get repeatObstacle(): number {
    if (!this.isUnanswered || !this.isSafe) return forgone.unsafe;
    if (this.requestBody === BODY_NONE) return REPEATABLE;
    const { bodyBytesMax } = this.destination!.retry;
    return this.sentBodySize <= bodyBytesMax && this.isKeptWhole ? REPEATABLE : forgone.body;
  }

  /** Nothing of a response has gone to the client, and no tunnel is asked for. */
  private get isUnanswered(): boolean {
    return this.phase === SENT && this.requestBody !== BODY_TUNNEL && !this.wasInformed;
  }

  private get isKeptWhole(): boolean {
    return this.requestEnded && this.held.isWhole(this.sentBodySize);
  }

  /** It does not matter whether the service gets it twice (RFC 9110 section 9.2.2), or it can tell. */
  protected get isSafe(): boolean {
    const { unsafe, idempotencyKey } = this.destination!.retry;
    if (unsafe || isIdempotent(this.request.method)) return true;
    return idempotencyKey !== "" && (this.request.fields.get(idempotencyKey) ?? "") !== "";
  }

  /**
   * Nothing of the response has come; may the request be sent a second time, and is it all still here?
   *
   * @param refused the service has said that it has not begun with it: that goes for any method
   */
  protected canResend(refused: boolean): boolean {
    if (!this.isUnanswered || (this.destination!.retry.on & RETRY_REFUSED) === 0) return false;
    const whole = this.requestBody === BODY_NONE || this.isKeptWhole;
    return whole && (refused || this.isSafe);
  }

  /** Tells why `canResend` has said no, unless it was for resets to be tried again, which is told. */
  protected forgoResend(refused: boolean): void {
    const { on } = this.destination!.retry;
    if (!this.isUnanswered || (on & (RETRY_REFUSED | RETRY_RESET)) !== RETRY_REFUSED) return;
    this.forgo(refused || this.isSafe ? forgone.body : forgone.unsafe);
  }

  private retryIn(waitMs: number, last: Fault | null): void {
    this.phase = ARRIVED;
    this.wantsFresh = false;
    this.boundBy(this.totalExpiresAtMs);
    if (waitMs === 0) {
      this.tryTarget(last);
      return;
    }
    this.lastFault = last;
    this.arm(0);
    this.waitFor(waitMs);
  }

  protected waitFor(waitMs: number): void {
    this.tryWait ??= new TryWait(this);
    this.runtime.waits.set(this.tryWait, waitMs);
  }

  /** @internal for TryWait */
  onWaitOver(): void {
    if (this.phase === ARRIVED) this.tryTarget(this.lastFault);
    else if (this.phase === SENT) this.startHedge();
  }
}
