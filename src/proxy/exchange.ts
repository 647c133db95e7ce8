// HOT
import { faults } from "../base/faults.ts";
import type { Fault } from "../base/faults.ts";
import type { Verdict } from "../policy/policy.ts";
import type { Reply } from "../policy/reply.ts";
import { MATCHED, METHOD_NOT_ALLOWED } from "../routing/match-result.ts";
import type { ClientStream } from "../wire/exchange-streams.ts";
import { NO_GRPC_STATUS } from "../upstream/grpc-status.ts";
import { refusalFault } from "../wire/http1/refusal.ts";
import { RESULT_OK } from "./try-result.ts";
import { ANSWERED, ARRIVED, CONNECTING, RESPONDING, SENT, TUNNEL } from "./exchange-phase.ts";
import { ExchangeTries } from "./exchange-tries.ts";
import { readForwarding } from "./forwarding.ts";
import { locate } from "./locate.ts";
import { METHODS_OF_THE_GATEWAY } from "./own-answer.ts";
import { preflightMethod } from "./preflight.ts";
import { HANDLE_RESPOND, HANDLE_SERVICE, HANDLE_SPLIT } from "./snapshot.ts";
import type { Overload } from "./overload.ts";
import type { PendingRefresh } from "./refreshes.ts";
import type { CallerRules, CompiledHooks, Destination, Snapshot } from "./snapshot.ts";

/**
 * The flow of one request through the gateway:
 *
 *     onRequest -> locate -> match -> policies -> handler -> pick, connect, send -> onResponse
 *               -> policies -> head and body to the client -> finish
 *
 * Everything happens inside the event that brought the bytes; only a policy that returns a promise and
 * a connection that has to be made interrupt it. Objects are reused: what arrives for an exchange that
 * is over is told by `generation`.
 */
export class Exchange extends ExchangeTries {
  onRequest(stream: ClientStream, hasBody: boolean): void {
    const snapshot = this.runtime.snapshot!;
    this.runtime.beginOn(snapshot);
    this.begin(stream, hasBody, snapshot);
    readForwarding(this, stream.connection, snapshot);
    const fault = locate(this);
    if (fault !== null) {
      this.fail(fault);
      return;
    }
    if (this.isAsterisk) {
      this.answer(204, ASTERISK_HEADERS, NO_BYTES);
      return;
    }
    const { method, fields } = this.request;
    const asked = preflightMethod(method, fields);
    if (asked !== "" && this.answerPreflight(asked)) return;
    this.findRoute(method);
    if (this.match.outcome !== MATCHED) {
      this.fail(
        this.match.outcome === METHOD_NOT_ALLOWED
          ? faults["method-not-allowed"]
          : faults["no-route"],
      );
      return;
    }
    const route = this.match.value;
    this.route = route;
    this.priority = route.priority;
    if (this.normalized.encodedSlash && !route.rawPath) {
      this.fail(faults["bad-path"]);
      return;
    }
    if (snapshot.overload !== null) {
      const refusal = snapshot.overload.admit(this.priorityAtMost(snapshot));
      if (refusal !== null) {
        this.fail(refusal);
        return;
      }
    }
    const { identityHeaders } = snapshot;
    if (identityHeaders !== null) identityHeaders.strip(fields);
    this.runRequestHooks(route.hooks, 0);
  }

  /** What the request may turn out to have once it is known who is calling. */
  private priorityAtMost({ callers }: Snapshot): number {
    const { priority } = this;
    return callers !== null && callers.priorityMax > priority ? callers.priorityMax : priority;
  }

  private findRoute(method: string): void {
    const { text, start, end } = this.normalized;
    this.snapshot!.matcher.matchRange(this, text, start, end, this.match, method);
  }

  /** @returns false where no policy of the route that the `asked` request would take has an answer. */
  private answerPreflight(asked: string): boolean {
    this.findRoute(asked);
    if (this.match.outcome !== MATCHED) return false;
    const route = this.match.value;
    const { onPreflight } = route.hooks;
    this.route = route;
    for (let index = 0; index < onPreflight.length; index++) {
      let verdict: Verdict;
      try {
        verdict = onPreflight[index]!(this);
      } catch (error) {
        verdict = this.runtime.reportError(error, route.name);
      }
      if (verdict === undefined) continue;
      this.obey(verdict);
      return true;
    }
    this.route = null;
    return false;
  }

  protected begin(stream: ClientStream, hasBody: boolean, snapshot: Snapshot): void {
    this.stream = stream;
    this.snapshot = snapshot;
    this.bodyBytesMax = snapshot.bodyBytesMax;
    this.startedAt = this.runtime.now();
    this.phase = ARRIVED;
    this.requestEnded = !hasBody;
    this.responseEnded = false;
    this.clientPaused = false;
    this.upstreamPaused = false;
    this.responseHeld = false;
    this.wantsFresh = false;
    this.staleRetries = 0;
    this.keepsBody = false;
    this.answeredStatus = 0;
    this.totalExpiresAtMs = 0;
    this.boundAtMs = 0;
    this.wasInformed = false;
  }

  /** A head that was refused by the parser; there is no request to speak of. */
  refuse(stream: ClientStream, fault: Fault): void {
    const snapshot = this.runtime.snapshot!;
    this.runtime.beginOn(snapshot);
    this.begin(stream, false, snapshot);
    this.request.method = "";
    this.request.targetStart = 0;
    this.request.targetEnd = 0;
    this.request.fields.clear();
    this.peerIsTrusted = false;
    this.clientAddress = stream.connection.peerAddress;
    this.fail(fault);
  }

  protected runRequestHooks(hooks: CompiledHooks, from: number): void {
    const { onRequest } = hooks;
    for (let index = from; index < onRequest.length; index++) {
      let verdict: Verdict | Promise<Verdict>;
      try {
        verdict = onRequest[index]!(this);
      } catch (error) {
        verdict = this.runtime.reportError(error, this.routeName);
      }
      if (verdict === undefined) continue;
      if (verdict instanceof Promise) {
        this.awaitRequestHook(verdict, hooks, index + 1);
        return;
      }
      this.obeyHook(verdict, hooks, index);
      return;
    }
    const { identity } = this;
    const { callers, overload } = this.snapshot!;
    if (callers !== null && overload !== null && this.destinationHooks === null) {
      if (this.isRefusedOnceKnown(callers, overload)) return;
    }
    if (callers !== null && identity !== null && this.callerHooks === null) {
      this.priority = callers.priorityFor(identity, this.priority);
      this.callerHooks = callers.hooksFor(identity);
      if (this.callerHooks !== null) {
        this.runRequestHooks(this.callerHooks, 0);
        return;
      }
    }
    this.handle();
  }

  protected beginRefresh(pending: PendingRefresh): void {
    this.pendingRefresh = null;
    this.runtime.refreshes.begin(this, pending);
  }

  /** Who was let in because a plan could have had a higher priority than the caller turned out to have. */
  private isRefusedOnceKnown(callers: CallerRules, overload: Overload): boolean {
    const { identity, callerHooks } = this;
    if (callerHooks !== null || overload.pressure === 0) return false;
    const before = this.priorityAtMost(this.snapshot!);
    if (identity !== null) this.priority = callers.priorityFor(identity, this.priority);
    if (this.priority >= before) return false;
    const refusal = overload.admit(this.priority);
    if (refusal !== null) this.fail(refusal);
    return refusal !== null;
  }

  // cold: only where a policy has to wait
  private awaitRequestHook(promise: Promise<Verdict>, hooks: CompiledHooks, next: number): void {
    const { generation } = this;
    this.waitCount++;
    const goOn = (verdict: Verdict): void => {
      this.waitCount--;
      if (this.generation !== generation || this.phase !== ARRIVED) return;
      if (verdict === undefined) this.runRequestHooks(hooks, next);
      else this.obeyHook(verdict, hooks, next - 1);
    };
    promise.then(goOn, (error: unknown) => {
      const { routeName } = this;
      // What is over has called off what its policies waited for.
      goOn(this.generation === generation ? this.runtime.reportError(error, routeName) : undefined);
    });
  }

  private handle(): void {
    if (this.standIn !== null) {
      this.sendHeldStandIn(this.standIn);
      return;
    }
    const { split } = this.route!;
    if (split !== null && this.destination === null) {
      this.turnTo(split.choose(this));
      return;
    }
    // Only now: a policy may have set the limit.
    const bodyMax = this.bodyBytesMax;
    if (bodyMax > 0 && this.request.contentLength > bodyMax) {
      this.fail(faults["body-too-large"]);
      return;
    }
    const { requestPipeline } = this;
    // What a service has failed to take has passed them already.
    const isStaged = requestPipeline !== null && !requestPipeline.isStarted;
    if (isStaged) this.startRequestStages(requestPipeline);
    else this.passOn();
  }

  /** What waited for the caller's own policies: the first to see it are those that it came from. */
  private sendHeldStandIn(standIn: Reply): void {
    const { destinationHooks, standInFrom } = this;
    if (destinationHooks === null) {
      this.sendStandIn(standIn, this.callerHooks!, 0);
      return;
    }
    this.standInFrom = 0;
    this.sendStandIn(standIn, destinationHooks, standInFrom);
  }

  /**
   * Turns to a destination, through the policies that it has of its own. What it had turned to before is done with:
   * the policies there are told of an end, and see nothing of the response.
   */
  protected turnTo(destination: Destination): void {
    const { destinationHooks } = this;
    if (destinationHooks !== null) this.runEndHooks(destinationHooks);
    const { hooks } = destination;
    this.destination = destination;
    this.destinationHooks = hooks;
    if (hooks === null) this.handle();
    else this.runRequestHooks(hooks, 0);
  }

  protected passOn(): void {
    const route = this.route!;
    if (route.handler === HANDLE_SERVICE || route.handler === HANDLE_SPLIT) {
      this.startService(this.destination ?? route.destination!);
    } else if (route.handler === HANDLE_RESPOND) {
      const respond = route.respond!;
      this.answer(respond.status, respond.headers, respond.body);
    } else {
      const { status, to, keepsQuery } = route.redirect!;
      let location = to.render(this.match);
      if (keepsQuery && this.rawQuery !== "") location += "?" + this.rawQuery;
      this.answer(status, { location }, NO_BYTES);
    }
  }

  onRequestTimeout(): void {
    this.fail(faults["request-timeout"]);
  }

  onRequestMalformed(refusal: number): void {
    this.fail(refusalFault(refusal));
  }

  onClientGone(): void {
    this.endWithoutClient(faults["client-gone"]);
  }

  onClientStalled(): void {
    this.endWithoutClient(faults["client-stalled"]);
  }

  protected endWithoutClient(fault: Fault): void {
    this.stream = null;
    if (this.phase !== TUNNEL) this.noteFault(fault);
    if (this.status === 0) {
      this.status = 499;
      // What has been said to a try that was to be followed by another, nobody got.
      this.grpcStatus = NO_GRPC_STATUS;
    }
    this.finish();
  }

  onBound(): void {
    const { totalExpiresAtMs } = this;
    this.boundAtMs = 0;
    if (totalExpiresAtMs > 0 && this.runtime.now() >= totalExpiresAtMs) {
      if (this.waitsForClient) this.leaveUpstream(false, this.tryResult());
      this.fail(faults["total-timeout"]);
      return;
    }
    // That of a try; the total deadline still counts.
    this.boundBy(totalExpiresAtMs);
    this.onDeadline();
  }

  onDeadline(): void {
    switch (this.phase) {
      case CONNECTING:
        if (!this.retryTimeout()) this.fail(faults["queue-timeout"]);
        break;
      case SENT:
        if (this.retryTimeout()) break;
        this.fail(this.requestEnded ? faults["response-timeout"] : faults["request-send-timeout"]);
        break;
      case ANSWERED:
        // Else a policy is looking at the head in its own time, but stages that hold it wait for the body.
        if (this.awaitsBody) this.fail(faults["response-timeout"]);
        break;
      case RESPONDING:
        this.fail(faults["response-stalled"]);
        break;
      case TUNNEL:
        this.leaveUpstream(false, RESULT_OK);
        this.breakOff(null);
        break;
      default:
        // A policy is looking at the request, in its own time.
        break;
    }
  }

  /** It is the client who is slow to send or to read: no target is to blame. */
  private get waitsForClient(): boolean {
    const { phase, upstream } = this;
    if (phase === SENT) return !this.requestEnded && upstream !== null && !upstream.congested;
    return phase === RESPONDING && this.upstreamPaused;
  }
}

const NO_BYTES = Buffer.alloc(0);
const ASTERISK_HEADERS = { allow: METHODS_OF_THE_GATEWAY };
