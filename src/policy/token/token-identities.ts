import type { JsonObject } from "../../base/strict-json.ts";
import type { Consumers, Credential } from "../consumers.ts";
import { identityOfCredential } from "../credential-identity.ts";
import { Identity, type IdentityFacts } from "../identity.ts";
import { compileClaimPath, compileTextClaims, type ReadClaim } from "./claim-path.ts";
import type { ClaimsOptions, ConsumerOptions } from "./token-options.ts";
import type { TokenFlaw } from "./token-flaw.ts";

export interface TokenIdentitiesSettings {
  /** Name of the policy. */
  readonly method: string;
  readonly claims: ClaimsOptions;
  readonly consumer: ConsumerOptions;
  readonly consumers: Consumers;
}

/** Who the holder of a token is, from claims that have been proved. */
export class TokenIdentities {
  readonly consumers: Consumers;
  private readonly method: string;
  private readonly subjects: readonly ReadClaim[];
  private readonly scopesOf: (claims: JsonObject) => readonly string[];
  private readonly rolesOf: (claims: JsonObject) => readonly string[];
  private readonly groupsOf: (claims: JsonObject) => readonly string[];
  private readonly consumerClaim: ReadClaim | null;
  private readonly requiresConsumer: boolean;

  constructor({ method, claims, consumer, consumers }: TokenIdentitiesSettings) {
    this.method = method;
    this.consumers = consumers;
    this.subjects = claims.subject.map(compileClaimPath);
    this.scopesOf = compileTextClaims(claims.scopes, " ");
    this.rolesOf = compileTextClaims(claims.roles, "");
    this.groupsOf = compileTextClaims(claims.groups, "");
    this.consumerClaim = consumer.claim === undefined ? null : compileClaimPath(consumer.claim);
    this.requiresConsumer = consumer.required;
  }

  /**
   * @param expiresAtMs of the claims
   * @throws what the look-up of a consumer throws
   */
  identityOf(claims: JsonObject, expiresAtMs: number, nowMs: number): Identity | TokenFlaw {
    const subject = this.subjectOf(claims);
    if (subject === "") return "subject-missing";
    const issuer = typeof claims["iss"] === "string" ? claims["iss"] : "";
    const facts: IdentityFacts = {
      method: this.method,
      subject,
      issuer,
      scopes: this.scopesOf(claims),
      roles: this.rolesOf(claims),
      groups: this.groupsOf(claims),
      claims,
      expiresAtMs,
    };
    if (this.consumerClaim !== null) return this.named(this.consumerClaim(claims), facts);
    const credential = this.credentialOf(issuer, subject);
    if (credential !== undefined) {
      if (nowMs >= credential.expiresAtMs) return "consumer-unknown";
      const until = Math.min(expiresAtMs, credential.expiresAtMs);
      return identityOfCredential(this.method, credential, { ...facts, expiresAtMs: until });
    }
    return this.requiresConsumer ? "consumer-unknown" : new Identity(facts);
  }

  private named(name: unknown, facts: IdentityFacts): Identity | TokenFlaw {
    const consumer = typeof name === "string" ? this.consumers.byName(name) : undefined;
    if (consumer === undefined && this.requiresConsumer) return "consumer-unknown";
    return new Identity({ ...facts, consumer: consumer ?? null });
  }

  private credentialOf(issuer: string, subject: string): Credential | undefined {
    // A line feed would let one issuer's subject pass for another issuer.
    if (issuer.includes("\n")) return undefined;
    const { consumers } = this;
    return (
      consumers.find("token", `${issuer}\n${subject}`) ?? consumers.find("token", `\n${subject}`)
    );
  }

  private subjectOf(claims: JsonObject): string {
    for (const read of this.subjects) {
      const subject = read(claims);
      if (typeof subject === "string" && subject !== "") return subject;
    }
    return "";
  }
}
