import { Fault, defineFaultType, faultTypes } from "../../base/faults.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { Authenticator, Judgement } from "../../policy/authenticator.ts";
import { ClaimedHeaders } from "../../policy/claimed-headers.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Identity } from "../../policy/identity.ts";
import { reply, type Reply } from "../../policy/reply.ts";
import type { ServiceAnswer } from "../../policy/service-call.ts";
import { AcceptanceCache, type CacheOptions } from "./acceptance-cache.ts";
import { type Acceptance, AnswerReader, type HeaderMap } from "./answer-reader.ts";
import { Question } from "./question.ts";

export interface ForwardAuthOptions {
  readonly service: string;
  readonly path: string;
  readonly method: string;
  readonly requestHeaders: readonly string[];
  readonly identity: HeaderMap;
  readonly upstreamHeaders: readonly string[];
  readonly clientHeaders: readonly string[];
  readonly cookies: boolean;
  readonly bodyMax: number;
  readonly timeout: number;
  readonly whenAway: "allow" | "deny";
  readonly cache?: CacheOptions | undefined;
}

export const authServiceUnavailable = defineFaultType("auth-service-unavailable", {
  status: 503,
  title: "Nobody to ask about the request",
  whose: "upstream",
  retrySafe: "always",
  cause: "The service that `forward-auth` asks gave no answer, or one that is neither yes nor no.",
  remedy: "Look at that service; the log says what became of the question.",
});

const unavailable = new Fault(authServiceUnavailable);
const unknownConsumer = new Fault(
  faultTypes.forbidden,
  "The caller is not among those the gateway knows.",
  "unknown-consumer",
);

/** Statuses that say no; of others nobody knows what they mean. */
const REFUSALS = new Set([401, 403, 407, 429]);
/** Those that say how to come back with a credential. */
const asksForCredentials = (status: number): boolean => status === 401 || isRedirect(status);
const isRedirect = (status: number): boolean => status >= 301 && status <= 308 && status !== 304;

export class ForwardAuthenticator implements Authenticator {
  readonly challenge: string;
  private readonly options: ForwardAuthOptions;
  private readonly environment: PolicyEnvironment;
  private readonly question: Question;
  private readonly reader: AnswerReader;
  private readonly cache: AcceptanceCache | null;
  private readonly claimed: ClaimedHeaders;
  private readonly awayCount: Counter;
  private readonly refusedCount: Counter;
  private isAway: boolean;
  private readonly accepted: ExchangeMemory<Acceptance>;
  private readonly invitation: ExchangeMemory<Reply>;
  private readonly cookies: ExchangeMemory<readonly string[]>;
  private readonly unanswered: ExchangeMemory<true>;

  constructor(options: ForwardAuthOptions, environment: PolicyEnvironment) {
    this.challenge = "";
    this.options = options;
    this.environment = environment;
    this.question = new Question(options);
    this.reader = new AnswerReader(options, environment.consumers);
    const { cache } = options;
    this.cache = cache === undefined ? null : new AcceptanceCache(cache, options, environment);
    this.claimed = new ClaimedHeaders(options.upstreamHeaders);
    this.awayCount = environment.counter("away");
    this.refusedCount = environment.counter("refused");
    this.isAway = false;
    this.accepted = new ExchangeMemory();
    this.invitation = new ExchangeMemory();
    this.cookies = new ExchangeMemory();
    this.unanswered = new ExchangeMemory();
  }

  authenticate(exchange: Exchange): Judgement | Promise<Judgement> {
    const known = this.cache?.find(exchange);
    if (known !== undefined) return this.accept(exchange, known);
    return this.ask(exchange);
  }

  private async ask(exchange: Exchange): Promise<Judgement> {
    let answer: ServiceAnswer;
    try {
      answer = await this.environment.call(this.options.service, this.question.about(exchange));
    } catch (error) {
      if (!(error instanceof Fault) || error.whose !== "upstream") throw error;
      return this.goWithout(exchange, error.name);
    }
    return this.judge(exchange, answer);
  }

  private judge(exchange: Exchange, answer: ServiceAnswer): Judgement {
    const { status } = answer;
    if (status >= 200 && status <= 299) return this.welcome(exchange, answer);
    if (!REFUSALS.has(status) && !isRedirect(status)) {
      return this.goWithout(exchange, `status ${status}`);
    }
    this.noteAway(false, "");
    const { headers, cookies } = this.reader.refusal(answer);
    if (cookies.length > 0) this.cookies.set(exchange, cookies);
    const refusal = reply(status, headers, answer.body);
    if (!asksForCredentials(status)) {
      this.refusedCount.add(1);
      return refusal;
    }
    // Where another authenticator may know the caller it is asked first; else the client gets it.
    this.invitation.set(exchange, refusal);
    return null;
  }

  private welcome(exchange: Exchange, answer: ServiceAnswer): Judgement {
    this.noteAway(false, "");
    const acceptance = this.reader.acceptance(answer);
    if (acceptance === null) return unknownConsumer;
    // What sets a cookie or must not be stored was meant for this request alone.
    if (acceptance.mayBeKept) this.cache?.keep(exchange, acceptance);
    return this.accept(exchange, acceptance);
  }

  private accept(exchange: Exchange, acceptance: Acceptance): Identity {
    this.accepted.set(exchange, acceptance);
    if (acceptance.cookies.length > 0) this.cookies.set(exchange, acceptance.cookies);
    return acceptance.identity;
  }

  private goWithout(exchange: Exchange, reason: string): Judgement {
    this.awayCount.add(1);
    this.noteAway(true, reason);
    if (this.options.whenAway === "deny") return unavailable;
    this.unanswered.set(exchange, true);
    return null;
  }

  /** Said once each time that it changes: requests are many. */
  private noteAway(isAway: boolean, reason: string): void {
    if (this.isAway === isAway) return;
    this.isAway = isAway;
    const { log } = this.environment;
    const { service } = this.options;
    if (isAway) log.warn("the service that is asked about requests is away", { service, reason });
    else log.info("the service that is asked about requests is back", { service });
  }

  admits(exchange: Exchange): boolean {
    return this.unanswered.get(exchange) === true;
  }

  invite(exchange: Exchange): Reply | undefined {
    return this.invitation.get(exchange);
  }

  /** Also where another authenticator has accepted the caller: nobody may say these but the service. */
  conceal(exchange: Exchange): void {
    const { fields } = exchange.request;
    this.claimed.strip(fields);
    const acceptance = this.accepted.get(exchange);
    if (acceptance === undefined) return;
    for (const [name, value] of acceptance.headers) fields.set(name, value);
  }

  onResponse(exchange: Exchange): void {
    const cookies = this.cookies.get(exchange);
    if (cookies === undefined) return;
    for (const cookie of cookies) exchange.response.fields.add("set-cookie", cookie);
  }
}
