import type { Fault } from "../../base/faults.ts";
import { GenerationCache } from "../../base/generation-cache.ts";
import type { Authenticator, Judgement } from "../../policy/authenticator.ts";
import type { Clock, PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { Identity } from "../../policy/identity.ts";
import { ClaimRules, hasAudience } from "../../policy/token/claim-rules.ts";
import { bearerChallenge, compileTokenFaults } from "../../policy/token/token-flaw.ts";
import type { TokenFaults, TokenFlaw } from "../../policy/token/token-flaw.ts";
import { TokenIdentities } from "../../policy/token/token-identities.ts";
import { TokenSource } from "../../policy/token/token-source.ts";
import { algorithmNames, type AlgorithmName } from "./algorithms.ts";
import type { JwtOptions } from "./jwt-options.ts";
import type { KeySet } from "./key-set.ts";
import type { KeySource } from "./key-source.ts";
import { keysUnavailableFault } from "./keys-unavailable.ts";
import { parseToken, parseTokenType, type ParsedToken } from "./parse-token.ts";
import { TrustedIssuers, type TrustedIssuer } from "./trusted-issuers.ts";
import type { VerificationKey } from "./verification-key.ts";

const TYPES = ["", "jwt", "at+jwt"];
/** Of all remembered tokens of one use of the policy in one worker; their claims take about twice that. */
const REMEMBERED_LENGTH_MAX = 16 * 1024 * 1024;

/** A token that has been proved. */
interface KnownToken {
  readonly identity: Identity;
  readonly source: KeySource;
  readonly key: VerificationKey;
  /** Of the consumers, when `identity` was made. */
  readonly version: number;
}

type Answer = Identity | Fault;

export class JwtAuthenticator implements Authenticator {
  readonly challenge: string;
  private readonly clock: Clock;
  private readonly tokens: TokenSource;
  private readonly lengthMax: number;
  private readonly algorithms: ReadonlySet<AlgorithmName>;
  private readonly types: ReadonlySet<string>;
  private readonly issuers: TrustedIssuers;
  private readonly rules: ClaimRules;
  private readonly identities: TokenIdentities;
  private readonly faults: TokenFaults;
  /** By token. Of this use of the policy alone: what another accepts may not be accepted here. */
  private readonly known: GenerationCache<KnownToken>;

  /** @throws Refusal for a file that holds no key */
  constructor(options: JwtOptions, environment: PolicyEnvironment) {
    const { claims, consumer, realm, types } = options;
    this.challenge = bearerChallenge(realm);
    this.clock = environment.clock;
    this.tokens = new TokenSource(options.in, options.strip);
    this.lengthMax = options.tokenBytes;
    this.algorithms = new Set(options.algorithms ?? algorithmNames);
    this.types = new Set(types === undefined ? TYPES : types.map(parseTokenType));
    this.issuers = new TrustedIssuers(options, environment);
    this.rules = new ClaimRules({
      leewayMs: options.leeway,
      maxAgeMs: options.maxAge,
      requiresExpiry: options.requireExpiry,
      requiredClaims: options.requiredClaims,
    });
    const { consumers } = environment;
    this.identities = new TokenIdentities({ method: "jwt", claims, consumer, consumers });
    this.faults = compileTokenFaults(realm);
    this.known = new GenerationCache(options.remember, REMEMBERED_LENGTH_MAX);
  }

  authenticate(exchange: Exchange): Judgement | Promise<Judgement> {
    const token = this.tokens.read(exchange);
    if (token === null) return null;
    if (typeof token !== "string") return this.faults[token.flaw];
    if (token.length > this.lengthMax) return this.faults["token-too-long"];
    const known = this.known.get(token);
    if (known !== undefined && this.holds(known)) {
      this.tokens.leave(exchange);
      return known.identity;
    }
    return this.judge(exchange, token);
  }

  /** A token that is not known here, or not any longer. */
  private judge(exchange: Exchange, token: string): Judgement | Promise<Judgement> {
    const answer = this.prove(token);
    if (answer instanceof Promise) return answer.then((late) => this.settle(exchange, late));
    return this.settle(exchange, answer);
  }

  private settle(exchange: Exchange, answer: Answer): Judgement {
    if (answer instanceof Identity) this.tokens.leave(exchange);
    return answer;
  }

  private holds({ identity, source, key, version }: KnownToken): boolean {
    const nowMs = this.clock.now();
    return (
      nowMs < identity.expiresAtMs &&
      nowMs < source.checkAtMs &&
      !key.isRevoked &&
      version === this.identities.consumers.version
    );
  }

  private prove(token: string): Answer | Promise<Answer> {
    const parsed = parseToken(token);
    if (typeof parsed === "string") return this.faults[parsed];
    if (!this.algorithms.has(parsed.algorithm)) return this.faults.algorithm;
    if (!this.types.has(parsed.type)) return this.faults["token-type"];
    const issuer = this.issuers.find(parsed.claims["iss"]);
    if (issuer === null) return this.faults.issuer;
    const keys = issuer.keys.current(this.clock.now());
    if (!(keys instanceof Promise)) return this.proveWith(keys, token, parsed, issuer);
    return keys.then((late) => this.proveWith(late, token, parsed, issuer));
  }

  private proveWith(
    keys: KeySet | null,
    token: string,
    parsed: ParsedToken,
    issuer: TrustedIssuer,
  ): Answer | Promise<Answer> {
    if (keys === null) return keysUnavailableFault;
    const key = keys.verify(parsed);
    if (key !== "unknown-key") return this.conclude(key, token, parsed, issuer);
    const renewed = issuer.keys.renewed(this.clock.now());
    if (renewed === "missing") return this.faults["unknown-key"];
    if (renewed === "unavailable") return keysUnavailableFault;
    return renewed.then((late) => {
      if (late !== null && late !== keys) {
        return this.conclude(late.verify(parsed), token, parsed, issuer);
      }
      // The look for it has failed.
      return keysUnavailableFault;
    });
  }

  /** The signature has been judged; what the claims say is left. */
  private conclude(
    key: VerificationKey | TokenFlaw,
    token: string,
    { claims }: ParsedToken,
    { keys: source, audiences }: TrustedIssuer,
  ): Answer {
    if (typeof key === "string") return this.faults[key];
    const { rules, identities } = this;
    const nowMs = this.clock.now();
    const flaw = rules.flawOf(claims, nowMs);
    if (flaw !== null) return this.faults[flaw];
    if (!hasAudience(claims, audiences)) return this.faults.audience;
    const { version } = identities.consumers;
    const identity = identities.identityOf(claims, rules.expiryOf(claims), nowMs);
    if (typeof identity === "string") return this.faults[identity];
    this.known.set(copyOf(token), { identity, source, key, version }, token.length);
    return identity;
  }
}

/** A token is a slice of the request's head, and would keep all of it in memory. */
function copyOf(token: string): string {
  return Buffer.from(token, "latin1").toString("latin1");
}
