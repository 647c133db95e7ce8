// HOT
import { Fault } from "../base/faults.ts";
import type { Reply } from "../policy/reply.ts";
import { BODY_NONE } from "../wire/exchange-streams.ts";
import type { ClientStream } from "../wire/exchange-streams.ts";
import { reasonOf } from "../wire/http1/write-message.ts";
import { RESULT_BROKEN, RESULT_CANCELLED, RESULT_TIMEOUT } from "./try-result.ts";
import { ANSWERED, RESPONDING } from "./exchange-phase.ts";
import { ExchangeStages } from "./exchange-stages.ts";
import { httpDate } from "./http-date.ts";
import { ownAnswer } from "./own-answer.ts";
import type { PendingRefresh } from "./refreshes.ts";
import type { CompiledHooks } from "./snapshot.ts";

/** The gateway's own answers: faults, replies of policies, and what stands in for a service. */
export abstract class ExchangeAnswer extends ExchangeStages {
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

  protected fillReply({ status, headers, body, block }: Reply): void {
    if (block === undefined) {
      this.fillOwnHead(status, headers, body);
      return;
    }
    const { response } = this;
    const { fields } = response;
    response.reset(status, reasonOf(status));
    fields.load(block);
    response.statusLineStands = block.hasStatusLine;
    for (const name in headers) fields.add(name, headers[name]!);
    if (status !== 204 && status !== 304 && !block.hasLength)
      fields.add("content-length", String(body.length));
  }

  protected sendOwn(stream: ClientStream, body: Buffer): void {
    const { status } = this.response;
    const bodiless =
      body.length === 0 || this.request.method === "HEAD" || status === 204 || status === 304;
    this.phase = RESPONDING;
    if (bodiless) {
      stream.sendHead(this.response, BODY_NONE);
    } else {
      this.responseBodyBytes += body.length;
      stream.sendWhole(this.response, body);
    }
    this.stream = null;
    this.finishWith(stream, null);
  }

  protected obey(verdict: Reply | Fault): void {
    this.standIn = null;
    this.pendingRefresh = null;
    this.standInFrom = 0;
    if (verdict instanceof Fault) this.fail(verdict);
    else this.answer(verdict.status, verdict.headers, verdict.body);
  }

  /** The same of hook `index` of a request. */
  protected obeyHook(verdict: Reply | Fault, hooks: CompiledHooks, index: number): void {
    if (!isStandIn(verdict)) {
      this.obey(verdict);
      return;
    }
    const { refresh } = verdict;
    if (refresh !== undefined) this.pendingRefresh = { refresh, hooks, index };
    const { identity, callerHooks } = this;
    const { callers } = this.snapshot!;
    const from = hooks.outward[index]!;
    if (callers !== null && identity !== null && callerHooks === null) {
      this.callerHooks = callers.hooksFor(identity);
      if (this.callerHooks !== null) {
        // What the caller may have does not depend on who answers.
        this.standIn = verdict;
        this.standInFrom = from;
        this.runRequestHooks(this.callerHooks, 0);
        return;
      }
    }
    this.sendStandIn(verdict, hooks, from);
  }

  protected abstract startResponseHooks(): void;

  protected abstract runResponseHooks(hooks: CompiledHooks, from: number): void;

  protected abstract runRequestHooks(hooks: CompiledHooks, from: number): void;

  protected abstract beginRefresh(pending: PendingRefresh): void;

  protected sendStandIn(reply: Reply, hooks: CompiledHooks, from: number): void {
    this.standIn = null;
    if (this.pendingRefresh !== null) this.beginRefresh(this.pendingRefresh);
    this.fillReply(reply);
    this.responseIsFromService = true;
    this.ownBody = reply.body;
    this.phase = ANSWERED;
    this.runResponseHooks(hooks, from);
  }

  /** Answers with a fault, or breaks the response off if its head is out. */
  protected fail(fault: Fault): void {
    if (this.phase >= RESPONDING) {
      this.leaveUpstream(true, RESULT_BROKEN);
      this.breakOff(fault);
      return;
    }
    if (fault.type.breaksOff) {
      this.status = fault.status;
      this.breakOff(fault);
      return;
    }
    const theirs = fault.whose === "upstream";
    this.leaveUpstream(theirs, theirs ? RESULT_TIMEOUT : RESULT_CANCELLED);
    this.overtake();
    this.noteFault(fault);
    if (fault.type.closes && this.stream !== null) this.stream.closeAfterResponse();
    this.responseIsFromService = false;
    this.ownBody = ownAnswer(this, fault);
    this.phase = ANSWERED;
    this.startResponseHooks();
  }

  /** Policies that are still thinking, and stages that are at work, have come too late. */
  protected overtake(): void {
    this.generation++;
    this.standIn = null;
    this.pendingRefresh = null;
    this.standInFrom = 0;
    this.responseHeld = false;
    this.heldResponse.clear();
    if (this.requestPipeline !== null || this.responsePipeline !== null) this.dropPipelines();
  }
}

/** What has been kept of a service's answers, in place of one of the gateway's own. */
export function isStandIn(verdict: Reply | Fault): verdict is Reply {
  return !(verdict instanceof Fault) && verdict.standsIn === true;
}
