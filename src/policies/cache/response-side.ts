import type { CacheRecord } from "../../policy/cache-record.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Verdict } from "../../policy/policy.ts";
import { reply, type Reply } from "../../policy/reply.ts";
import type { CacheState } from "./cache-state.ts";
import { isOfCaller } from "./cacheable-request.ts";
import { namesTag } from "./stored-answer.ts";
import { headersToKeep, merged, RecordWriter, type Draft } from "./record-writer.ts";
import { headerOf } from "./prepared-record.ts";
import { termsOf } from "./response-terms.ts";
import { StoringStage } from "./storing-stage.ts";
import type { Visit } from "./visit.ts";

/** Keeps what services answer, and forgets what has been changed. */
export class ResponseSide {
  private readonly state: CacheState;
  private readonly writer: RecordWriter;

  constructor(state: CacheState) {
    this.state = state;
    this.writer = new RecordWriter(state);
  }

  onResponse(exchange: Exchange): Verdict {
    const { state } = this;
    const visit = state.visits.get(exchange);
    if (visit === undefined) {
      this.invalidate(exchange);
      return undefined;
    }
    const { status, fields } = exchange.response;
    const { record } = visit.look;
    const isService = exchange.responseIsFromService;
    if (isService && status === 304 && visit.validates) {
      return this.revalidated(exchange, visit, record!);
    }
    if (status === 304 && visit.validates && exchange.failure !== "") {
      // Another service says so of what it would answer itself: it is as good as its answer, and not to be kept.
      return this.given(visit, record!, `fwd=${visit.reason}; fwd-status=304`);
    }
    if (visit.isRefresh) return this.refreshed(exchange, visit);
    if (record !== undefined && isFailure(status)) {
      const stale = this.staleIfError(exchange, visit, record, isService);
      if (stale !== undefined) return stale;
    }
    const isKept = isService && visit.stores && this.keep(exchange, visit);
    if (!isKept) state.settle(visit, false);
    if (state.options.cacheStatus && isService) {
      const stored = isKept ? "; stored" : "";
      fields.add("cache-status", `gateward; fwd=${visit.reason}; fwd-status=${status}${stored}`);
    }
    return undefined;
  }

  /** Nobody waits for the answer: what is not kept need not come. */
  private refreshed(exchange: Exchange, visit: Visit): Verdict {
    const { state } = this;
    const isService = exchange.responseIsFromService;
    if (isService && this.keep(exchange, visit)) return undefined;
    // The service has another answer now, though it may not be kept: who asks next is to have it.
    const isReplaced = isService && state.options.statuses.includes(exchange.response.status);
    if (isReplaced && this.isForAll(exchange, visit)) state.store.delete(visit.look.key);
    state.settle(visit, false);
    return NOTHING;
  }

  onEnd(exchange: Exchange): void {
    const visit = this.state.visits.get(exchange);
    if (visit === undefined) return;
    visit.isOver = true;
    // A body that has come whole has settled it before.
    this.state.settle(visit, false);
  }

  /** @returns whether the response is on its way into the store */
  private keep(exchange: Exchange, visit: Visit): boolean {
    const { state } = this;
    const { options, clock } = state;
    const { response } = exchange;
    const { status, fields } = response;
    if (!options.statuses.includes(status)) return false;
    if (fields.has("set-cookie") && !options.setCookie) return false;
    if (response.contentLength > options.maxBytes) return false;
    const header = (name: string): string | undefined => fields.get(name);
    const terms = termsOf(status, header, options, clock.now());
    if (!terms.isStorable || !(terms.isShareable || this.isForAll(exchange, visit))) return false;
    const hasValidator = fields.has("etag") || fields.has("last-modified");
    if (terms.lifetimeMs === 0 && !hasValidator) return false;
    const lines: string[] = [];
    fields.each((name, value) => lines.push(name.toLowerCase(), value));
    const draft: Draft = {
      status,
      headers: headersToKeep(lines, terms.withheld, clock.now()),
      terms,
      requestedAtMs: visit.requestedAtMs,
      receivedAtMs: clock.now(),
      age: fields.get("age"),
    };
    if (!exchange.responseHasBody) {
      this.done(visit, draft, NO_BYTES);
      return true;
    }
    exchange.stageResponse(
      new StoringStage(options.maxBytes, visit.isRefresh, (body) => this.done(visit, draft, body)),
    );
    return true;
  }

  private done(visit: Visit, draft: Draft, body: Buffer | null): void {
    const isKept = body !== null && this.writer.write(visit, draft, body).isKept;
    if (isKept) this.state.counts.stored.add(1);
    this.state.settle(visit, isKept);
  }

  /** Whoever has called: all may have it, or the key has its name. */
  private isForAll(exchange: Exchange, visit: Visit): boolean {
    if (!isOfCaller(exchange)) return true;
    const { options } = this.state;
    if (options.authorized) return true;
    return options.key.identity && visit.identity !== null && visit.identity === exchange.identity;
  }

  /** RFC 9111 section 4.3.4: what is stored holds on, with what the answer says of it. */
  private revalidated(exchange: Exchange, visit: Visit, record: CacheRecord): Verdict {
    const { state } = this;
    const { options, clock, counts, store } = state;
    const { fields } = exchange.response;
    const nowMs = clock.now();
    const lines: string[] = [];
    fields.each((name, value) => lines.push(name.toLowerCase(), value));
    const headers = merged(record.headers, headersToKeep(lines, [], nowMs));
    const header = (name: string): string | undefined => headerOf(headers, name);
    const terms = termsOf(record.status, header, options, nowMs);
    const etag = fields.get("etag");
    const isSame = etag === undefined || namesTag(etag, state.prepare(record).etag);
    counts.revalidated.add(1);
    let current = record;
    let isKept = false;
    if (!isSame || !terms.isStorable) {
      store.delete(visit.look.key);
    } else if (terms.isShareable || this.isForAll(exchange, visit)) {
      ({ record: current, isKept } = this.writer.write(
        visit,
        {
          status: record.status,
          headers: headersToKeep(headers, terms.withheld, nowMs),
          terms,
          requestedAtMs: visit.requestedAtMs,
          receivedAtMs: nowMs,
          age: fields.get("age"),
        },
        record.body,
      ));
    }
    state.settle(visit, isKept);
    return state.answer(current, visit.conditions, nowMs, `fwd=${visit.reason}; fwd-status=304`);
  }

  private staleIfError(
    exchange: Exchange,
    visit: Visit,
    record: CacheRecord,
    isService: boolean,
  ): Verdict {
    const { state } = this;
    const nowMs = state.clock.now();
    if (nowMs >= state.prepare(record).staleIfErrorUntilMs) return undefined;
    // Who has not been asked for by then has been refused by a policy, not by the service.
    if (!isService && exchange.identity !== visit.identity) return undefined;
    state.fail(visit.look.key);
    state.settle(visit, true);
    state.counts.stale.add(1);
    const how = isService
      ? `fwd=${visit.reason}; fwd-status=${exchange.response.status}`
      : `fwd=${visit.reason}`;
    return state.answer(record, visit.conditions, nowMs, how);
  }

  /** What a fallback gives: all policies behind this one have let the request pass. */
  onServiceFailed(exchange: Exchange): Reply | undefined {
    const { state } = this;
    const visit = state.visits.get(exchange);
    const record = visit?.look.record;
    if (visit === undefined || record === undefined) return undefined;
    if (state.clock.now() >= state.prepare(record).fallbackUntilMs) return undefined;
    return this.given(visit, record, `fwd=${visit.reason}`);
  }

  private given(visit: Visit, record: CacheRecord, how: string): Reply {
    const { state } = this;
    state.counts.stale.add(1);
    return state.answer(record, visit.conditions, state.clock.now(), how);
  }

  /** RFC 9111 section 4.4. */
  private invalidate(exchange: Exchange): void {
    const { state } = this;
    const resource = state.changes.get(exchange);
    if (resource === undefined) return;
    const { status, fields } = exchange.response;
    if (status < 200 || status >= 400 || !exchange.responseIsFromService) return;
    state.counts.invalidated.add(1);
    state.store.invalidate(resource);
    for (const name of ["location", "content-location"]) {
      const reference = fields.get(name);
      if (reference === undefined) continue;
      const named = state.key.resourceNamed(reference, exchange);
      if (named !== undefined) state.store.invalidate(named);
    }
  }
}

const NO_BYTES = Buffer.alloc(0);
const NOTHING = reply(204);

/** RFC 5861 section 4. */
function isFailure(status: number): boolean {
  return status === 500 || (status >= 502 && status <= 504);
}
