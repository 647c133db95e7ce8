import type { Fault } from "../../base/faults.ts";
import type { CacheRecord } from "../../policy/cache-record.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Verdict } from "../../policy/policy.ts";
import type { Reply } from "../../policy/reply.ts";
import { variantKey } from "./cache-key.ts";
import type { CacheState } from "./cache-state.ts";
import { conditionsOf, isBypassed, isMisleading, isOfCaller } from "./cacheable-request.ts";
import { clientWishes, isFineFor, mayBeStale, type ClientWishes } from "./client-wishes.ts";
import { StaleRefresh } from "./stale-refresh.ts";
import { Visit, type Look, type Reason } from "./visit.ts";

/** How often a request waits for another: only after a first answer is it known by what answers vary. */
const ROUNDS_MAX = 2;
const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

type Step = Verdict | Promise<Verdict>;

/** Answers requests out of the store, or has the service asked. */
export class RequestSide {
  private readonly state: CacheState;
  private readonly notCached: Fault;

  constructor(state: CacheState, notCached: Fault) {
    this.state = state;
    this.notCached = notCached;
  }

  onRequest(exchange: Exchange): Step {
    const { method } = exchange;
    const { key, changes, counts } = this.state;
    if (method !== "GET" && method !== "HEAD") {
      if (!SAFE.has(method)) changes.set(exchange, key.resource(exchange));
      return undefined;
    }
    if (isBypassed(exchange)) {
      counts.bypass.add(1);
      return undefined;
    }
    return this.lookUp(exchange, key.resource(exchange), key.variant(exchange), 0);
  }

  private lookUp(exchange: Exchange, resource: string, variant: string, round: number): Step {
    const found = this.state.store.get(resource);
    if (found instanceof Promise) return this.lookLater(exchange, resource, variant, found, round);
    return this.lookWithin(exchange, resource, variant, found, round);
  }

  /** Apart, since what a closure holds on to costs even where none is made. */
  private lookLater(
    exchange: Exchange,
    resource: string,
    variant: string,
    found: Promise<CacheRecord | undefined>,
    round: number,
  ): Step {
    const goOn = (record: CacheRecord | undefined): Step =>
      this.lookWithin(exchange, resource, variant, record, round);
    return this.later(exchange, found, goOn);
  }

  /** Under the resource there is the answer, or what says where those to different requests are. */
  private lookWithin(
    exchange: Exchange,
    resource: string,
    variant: string,
    found: CacheRecord | undefined,
    round: number,
  ): Step {
    if (found === undefined || found.status !== 0) {
      const record = found?.variant === variant ? found : undefined;
      const key = record === undefined ? `${resource}\n${variant}` : resource;
      return this.decide(exchange, { resource, variant, found, record, key }, round);
    }
    return this.lookAmong(exchange, resource, variant, found, round);
  }

  /** Among answers to requests that differ in what the service's answers vary by. */
  private lookAmong(
    exchange: Exchange,
    resource: string,
    variant: string,
    found: CacheRecord,
    round: number,
  ): Step {
    const key = variantKey(resource, found, variant, (name) => exchange.header(name));
    const record = this.state.store.get(key);
    const goOn = (late: CacheRecord | undefined): Step =>
      this.decide(exchange, { resource, variant, found, record: late, key }, round);
    return record instanceof Promise ? this.later(exchange, record, goOn) : goOn(record);
  }

  private decide(exchange: Exchange, look: Look, round: number): Step {
    const { state } = this;
    const { record } = look;
    const nowMs = state.clock.now();
    const wishes = state.options.clientControl ? clientWishes(exchange) : null;
    if (record === undefined) {
      const reason = look.found === undefined ? "uri-miss" : "vary-miss";
      return this.miss(exchange, look, { reason, wishes, round });
    }
    const prepared = state.prepare(record);
    if (!prepared.isShareable && isOfCaller(exchange) && !state.allowsCaller(exchange)) {
      const reason = "bypass";
      return this.miss(exchange, { ...look, record: undefined }, { reason, wishes, round });
    }
    const isFresh = nowMs < record.freshUntilMs;
    const isFine = wishes === null ? isFresh : isFineFor(wishes, record, prepared.isStrict, nowMs);
    if (!isFine) {
      const reason = isFresh ? "request" : "stale";
      return this.miss(exchange, look, { reason, wishes, round });
    }
    state.counts.hit.add(1);
    const conditions = conditionsOf(exchange);
    if (conditions === null) return state.hit(record, nowMs);
    return state.answer(record, conditions, nowMs, "hit");
  }

  /** There is nothing that would do: the service is asked, by this request or by one that is under way. */
  private miss(
    exchange: Exchange,
    look: Look,
    why: { reason: Reason; wishes: ClientWishes | null; round: number },
  ): Step {
    const { state } = this;
    const { reason, wishes, round } = why;
    if (wishes?.onlyIfCached === true) return this.notCached;
    const isWhole = exchange.method === "GET" && !exchange.request.fields.has("range");
    const stores = isWhole && wishes?.noStore !== true && !isMisleading(exchange);
    if (reason === "stale" && stores) {
      const stale = this.staleWhileRefreshed(exchange, look, wishes);
      if (stale !== undefined) return stale;
    }
    const visit = new Visit(look, reason, state.clock.now(), exchange.identity);
    visit.stores = stores;
    if (stores) visit.mark = state.store.mark(look.resource);
    const isForced = reason === "request";
    // What a known caller is sent may be of no use to others: nobody waits for it.
    const isForAll = !isOfCaller(exchange) || state.allowsCaller(exchange);
    const { record, key } = look;
    if (record !== undefined && !isForced && state.isFailing(key)) {
      const stale = this.staleAnswer(exchange, record, state.prepare(record).staleIfErrorUntilMs);
      if (stale !== undefined) return stale;
    }
    const joins = visit.stores && isForAll && !isForced && state.options.wait > 0;
    if (!joins || round >= ROUNDS_MAX || state.isPassing(key)) return this.goOn(exchange, visit);
    const leads = state.store.lead(key);
    if (!(leads instanceof Promise)) return this.leadOrJoin(exchange, visit, leads, round);
    state.visits.set(exchange, visit);
    return leads.then((late) => {
      if (!visit.isOver) return this.leadOrJoin(exchange, visit, late, round);
      if (late) state.store.settle(key, false);
      return undefined;
    });
  }

  private leadOrJoin(exchange: Exchange, visit: Visit, leads: boolean, round: number): Step {
    const { state } = this;
    const { resource, variant, key } = visit.look;
    if (leads) {
      visit.leadKey = key;
      return this.goOn(exchange, visit);
    }
    const settled = state.store.wait(key, state.options.wait);
    return this.later(
      exchange,
      settled,
      (outcome): Step => {
        if (outcome === "stored") return this.lookUp(exchange, resource, variant, round + 1);
        if (outcome === "unstored") state.pass(key);
        return this.goOn(exchange, visit);
      },
      visit,
    );
  }

  /** The stale answer, where it may be given and a new one is fetched behind the client's back. */
  private staleWhileRefreshed(
    exchange: Exchange,
    look: Look,
    wishes: ClientWishes | null,
  ): Reply | undefined {
    const { state } = this;
    const { record, key } = look;
    if (record === undefined) return undefined;
    if (wishes !== null && !mayBeStale(wishes, record, state.clock.now())) return undefined;
    const isFailing = state.isFailing(key);
    // With too many under way this request fetches it.
    if (!isFailing && !exchange.mayRefresh) return undefined;
    const untilMs = state.prepare(record).staleWhileRevalidateUntilMs;
    const stale = this.staleAnswer(exchange, record, untilMs);
    if (stale === undefined || isFailing) return stale;
    const refresh = new StaleRefresh(state, look, exchange.identity, (anew, visit) =>
      this.ask(anew, visit),
    );
    return { ...stale, refresh };
  }

  private staleAnswer(exchange: Exchange, record: CacheRecord, untilMs: number): Reply | undefined {
    const { state } = this;
    const nowMs = state.clock.now();
    if (nowMs >= untilMs) return undefined;
    state.counts.stale.add(1);
    return state.answer(record, conditionsOf(exchange), nowMs, "hit");
  }

  /** The request goes to the service; what comes back is met in `onResponse`. */
  private goOn(exchange: Exchange, visit: Visit): undefined {
    this.state.counts.miss.add(1);
    this.ask(exchange, visit);
  }

  private ask(exchange: Exchange, visit: Visit): void {
    const { state } = this;
    state.visits.set(exchange, visit);
    state.key.removeIgnored(exchange);
    if (!visit.stores) return;
    const { fields } = exchange.request;
    visit.conditions = conditionsOf(exchange);
    const sent: string[] = [];
    fields.each((name, value) => sent.push(name.toLowerCase(), value));
    visit.sent = sent;
    // Else the service might answer with less than what can be kept.
    fields.remove("if-none-match");
    fields.remove("if-modified-since");
    const { record } = visit.look;
    if (record === undefined) return;
    const { etag, lastModified, hasValidator } = state.prepare(record);
    visit.validates = hasValidator;
    if (etag !== "") fields.add("if-none-match", etag);
    else if (hasValidator) fields.add("if-modified-since", lastModified);
  }

  /** Goes on once `value` is there, unless the exchange is over by then. */
  private async later<Value>(
    exchange: Exchange,
    value: Promise<Value>,
    goOn: (value: Value) => Step,
    visit = new Visit(NOTHING, "uri-miss", 0, null),
  ): Promise<Verdict> {
    const { visits } = this.state;
    visits.set(exchange, visit);
    const late = await value;
    if (visit.isOver) return undefined;
    // What was waited for is not what a response would be for.
    visits.set(exchange, undefined as never);
    return await goOn(late);
  }
}

const NOTHING: Look = { resource: "", variant: "", found: undefined, record: undefined, key: "" };
