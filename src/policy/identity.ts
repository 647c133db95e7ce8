import type { Consumer } from "./consumers.ts";

const NONE: readonly string[] = [];

/** What an authenticator found out; absent members are empty. */
export interface IdentityFacts {
  /** Name of the policy that established it: `api-key`, `jwt`. */
  readonly method: string;
  /** Who it is, unique under `issuer`: a consumer's name, a token's `sub`, a certificate's subject. */
  readonly subject: string;
  /** Who vouches for the subject; absent for the gateway's own consumers. */
  readonly issuer?: string;
  readonly consumer?: Consumer | null;
  /** Names the credential within its consumer, for logs; never the credential itself. */
  readonly credential?: string;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  /** What a verified token or a userinfo answer says, as it came. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Epoch milliseconds after which it no longer holds; absent: no end. */
  readonly expiresAtMs?: number;
}

/**
 * Who is calling, as far as that has been proved. Never changed once made, so that one object can serve
 * all requests that bring the same credential.
 */
export class Identity {
  readonly method: string;
  readonly subject: string;
  /** "" for the gateway's own consumers. */
  readonly issuer: string;
  readonly consumer: Consumer | null;
  /** "" where there is only one credential. */
  readonly credential: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  /** Infinity: no end. */
  readonly expiresAtMs: number;
  /** @internal Lines that tell services about it, and who made them. */
  lines: string;
  /** @internal */
  linesOwner: object | null;

  constructor(facts: IdentityFacts) {
    const { consumer = null } = facts;
    this.method = facts.method;
    this.subject = facts.subject;
    this.issuer = facts.issuer ?? "";
    this.consumer = consumer;
    this.credential = facts.credential ?? "";
    this.scopes = union(facts.scopes ?? NONE, consumer === null ? NONE : consumer.scopes);
    this.roles = union(facts.roles ?? NONE, consumer === null ? NONE : consumer.roles);
    this.groups = union(facts.groups ?? NONE, consumer === null ? NONE : consumer.groups);
    this.claims = facts.claims ?? NO_CLAIMS;
    this.expiresAtMs = facts.expiresAtMs ?? Infinity;
    this.lines = "";
    this.linesOwner = null;
  }
}

const NO_CLAIMS: Readonly<Record<string, unknown>> = Object.freeze({});

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  if (other.length === 0) return one;
  if (one.length === 0) return other;
  return [...new Set([...one, ...other])];
}

/**
 * Two proofs about one request: what either says holds. The first one's subject stays, unless only the
 * second knows a consumer.
 *
 * @returns null when they name different consumers: one of the two credentials is borrowed.
 */
export function mergeIdentities(first: Identity, second: Identity): Identity | null {
  const { consumer } = first;
  if (consumer !== null && second.consumer !== null && consumer.name !== second.consumer.name) {
    return null;
  }
  const main = consumer === null && second.consumer !== null ? second : first;
  return new Identity({
    method: `${first.method}+${second.method}`,
    subject: main.subject,
    issuer: main.issuer,
    consumer: main.consumer,
    credential: main.credential,
    scopes: union(first.scopes, second.scopes),
    roles: union(first.roles, second.roles),
    groups: union(first.groups, second.groups),
    claims: { ...second.claims, ...first.claims },
    expiresAtMs: Math.min(first.expiresAtMs, second.expiresAtMs),
  });
}
