import { createHash } from "node:crypto";
import type { Fault } from "../../base/faults.ts";
import { RepeatLimiter } from "../../base/log/repeat-limiter.ts";
import type { Log } from "../../base/log/log.ts";
import type { JsonObject } from "../../base/strict-json.ts";
import type { Authenticator, Judgement } from "../../policy/authenticator.ts";
import type { Clock, PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { Identity } from "../../policy/identity.ts";
import { ClaimRules, hasAudience } from "../../policy/token/claim-rules.ts";
import { bearerChallenge, compileTokenFaults } from "../../policy/token/token-flaw.ts";
import type { TokenFaults, TokenFlaw } from "../../policy/token/token-flaw.ts";
import { TokenIdentities } from "../../policy/token/token-identities.ts";
import { TokenSource } from "../../policy/token/token-source.ts";
import type { IntrospectionOptions } from "./introspection-options.ts";
import { introspectionUnavailableFault } from "./introspection-unavailable.ts";
import { Introspector } from "./introspector.ts";
import { KnownTokens, type KnownToken } from "./known-tokens.ts";

const FAILURE_TOLD_EVERY_MS = 10_000;
/** After a failure, for those who can do with what is known already. */
const PAUSE_MS = 1000;
/** RFC 6749 appendix A.12, without the space. */
const TOKEN = /^[\x21-\x7e]+$/;

type Answer = Identity | Fault;

interface Conclusion {
  readonly answer: Answer;
  /** Of the consumers. */
  readonly version: number;
}

export class IntrospectionAuthenticator implements Authenticator {
  readonly challenge: string;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly options: IntrospectionOptions;
  private readonly tokens: TokenSource;
  private readonly audiences: ReadonlySet<string> | null;
  private readonly rules: ClaimRules;
  private readonly identities: TokenIdentities;
  private readonly faults: TokenFaults;
  private readonly introspector: Introspector;
  private readonly failures = new RepeatLimiter(FAILURE_TOLD_EVERY_MS);
  /** By token. Of this use of the policy alone: what another accepts may not be accepted here. */
  private readonly known: KnownTokens;
  /** Of this snapshot alone, whose consumers they name; `known` outlives it. */
  private readonly conclusions = new WeakMap<KnownToken, Conclusion>();
  private pausedUntilMs = 0;

  constructor(options: IntrospectionOptions, environment: PolicyEnvironment) {
    const { claims, consumer, realm, audience, leeway: leewayMs, requiredClaims } = options;
    const { clock, log, consumers } = environment;
    this.challenge = bearerChallenge(realm);
    this.clock = clock;
    this.log = log;
    this.options = options;
    this.tokens = new TokenSource(options.in, options.strip);
    this.audiences = audience === undefined ? null : new Set(audience);
    this.rules = new ClaimRules({
      leewayMs,
      maxAgeMs: 0,
      // `active` says enough, and many servers say no more.
      requiresExpiry: false,
      requiredClaims,
    });
    const method = "oauth2-introspection";
    this.identities = new TokenIdentities({ method, claims, consumer, consumers });
    this.faults = compileTokenFaults(realm);
    const ca = options.ca === undefined ? undefined : environment.file(options.ca);
    const fetch: PolicyEnvironment["fetch"] = (request) => environment.fetch(request);
    this.introspector = new Introspector({ fetch, options, ca });
    // A reload must not ask about all tokens again at once.
    this.known = environment.keep(keyOf(environment.id, options, ca), () => {
      return new KnownTokens(options.remember);
    });
  }

  authenticate(exchange: Exchange): Judgement | Promise<Judgement> {
    const token = this.tokens.read(exchange);
    if (token === null) return null;
    if (typeof token !== "string") return this.faults[token.flaw];
    if (token.length > this.options.tokenBytes) return this.faults["token-too-long"];
    const known = this.known.get(token);
    const nowMs = this.clock.now();
    if (known !== undefined && nowMs < known.freshUntilMs) {
      return this.settle(exchange, this.answerOf(known, nowMs));
    }
    if (!TOKEN.test(token)) return this.faults["token-malformed"];
    if (known !== undefined && nowMs < this.pausedUntilMs && nowMs < known.usableUntilMs) {
      return this.settle(exchange, this.answerOf(known, nowMs));
    }
    return this.ask(token, known).then((answer) => this.settle(exchange, answer));
  }

  private settle(exchange: Exchange, answer: Answer): Answer {
    if (answer instanceof Identity) this.tokens.leave(exchange);
    return answer;
  }

  private async ask(token: string, before: KnownToken | undefined): Promise<Answer> {
    let said: JsonObject;
    try {
      said = await this.introspector.ask(token);
    } catch (error) {
      return this.answerWithout(before, error);
    }
    const nowMs = this.clock.now();
    const known = this.worthOf(said["active"] === true ? said : null, nowMs);
    if (known.freshUntilMs > nowMs) this.known.set(token, known);
    return this.answerOf(known, nowMs);
  }

  /** The server cannot be asked: what it has said before may do. */
  private answerWithout(before: KnownToken | undefined, error: unknown): Answer {
    const nowMs = this.clock.now();
    this.pausedUntilMs = nowMs + PAUSE_MS;
    const held = this.failures.admit("");
    if (held >= 0) this.log.warn("no answer about a token", { error, repeated: held });
    if (before === undefined || nowMs >= before.usableUntilMs) return introspectionUnavailableFault;
    return this.answerOf(before, nowMs);
  }

  /** How long the server's answer holds. */
  private worthOf(claims: JsonObject | null, nowMs: number): KnownToken {
    const { cache, outage } = this.options;
    if (claims === null) {
      const untilMs = nowMs + cache.inactive;
      return { claims, freshUntilMs: untilMs, usableUntilMs: untilMs };
    }
    const expiresAtMs = this.rules.expiryOf(claims);
    const freshUntilMs = nowMs + cache.ttl;
    return {
      claims,
      freshUntilMs: Math.min(freshUntilMs, expiresAtMs),
      usableUntilMs: Math.min(freshUntilMs + outage, expiresAtMs),
    };
  }

  private answerOf(known: KnownToken, nowMs: number): Answer {
    const { version } = this.identities.consumers;
    const conclusion = this.conclusions.get(known);
    if (conclusion !== undefined && conclusion.version === version) {
      const { answer } = conclusion;
      if (!(answer instanceof Identity) || nowMs < answer.expiresAtMs) return answer;
    }
    const answer = this.conclude(known.claims, nowMs);
    this.conclusions.set(known, { answer, version });
    return answer;
  }

  private conclude(claims: JsonObject | null, nowMs: number): Answer {
    const flaw = claims === null ? "inactive" : this.flawOf(claims, nowMs);
    if (flaw !== null) return this.faults[flaw];
    const { issuer } = this.options;
    const whole = issuer === undefined ? claims! : { ...claims, iss: issuer };
    const identity = this.identities.identityOf(whole, this.rules.expiryOf(whole), nowMs);
    return typeof identity === "string" ? this.faults[identity] : identity;
  }

  private flawOf(claims: JsonObject, nowMs: number): TokenFlaw | null {
    const { issuer } = this.options;
    const { iss } = claims;
    if (issuer !== undefined && iss !== undefined && iss !== issuer) return "issuer";
    if (!hasAudience(claims, this.audiences)) return "audience";
    return this.rules.flawOf(claims, nowMs);
  }
}

function keyOf(id: string, options: IntrospectionOptions, ca: string | undefined): string {
  const identity = JSON.stringify([id, options, ca]);
  return `tokens ${createHash("sha256").update(identity).digest("hex")}`;
}
