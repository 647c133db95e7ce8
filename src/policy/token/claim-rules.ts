import type { JsonObject } from "../../base/strict-json.ts";
import { compileClaimPath, type ReadClaim } from "./claim-path.ts";
import type { RequiredClaims } from "./token-options.ts";
import type { TokenFlaw } from "./token-flaw.ts";

export interface ClaimRulesSettings {
  /** By how much clocks may differ. */
  readonly leewayMs: number;
  /** Since `iat`; 0: any age. */
  readonly maxAgeMs: number;
  readonly requiresExpiry: boolean;
  readonly requiredClaims: RequiredClaims;
}

/** What the claims of a token have to say, whoever vouches for them (RFC 7519 section 4.1). */
export class ClaimRules {
  private readonly leewayMs: number;
  private readonly maxAgeMs: number;
  private readonly requiresExpiry: boolean;
  private readonly required: readonly { read: ReadClaim; values: readonly unknown[] | null }[];

  constructor({ leewayMs, maxAgeMs, requiresExpiry, requiredClaims }: ClaimRulesSettings) {
    this.leewayMs = leewayMs;
    this.maxAgeMs = maxAgeMs;
    this.requiresExpiry = requiresExpiry;
    this.required = Object.entries(requiredClaims).map(([path, values]) => {
      return { read: compileClaimPath(path), values };
    });
  }

  /** @returns null when all is well */
  flawOf(claims: JsonObject, nowMs: number): TokenFlaw | null {
    const { exp, nbf, iat } = claims;
    if (!isTime(exp) || !isTime(nbf) || !isTime(iat)) return "claim-malformed";
    if (exp === undefined && this.requiresExpiry) return "expiry-missing";
    const { leewayMs, maxAgeMs } = this;
    if (nowMs >= this.expiryOf(claims)) {
      return exp !== undefined && nowMs >= exp * 1000 + leewayMs ? "expired" : "too-old";
    }
    if (nbf !== undefined && nowMs < nbf * 1000 - leewayMs) return "not-yet-valid";
    if (iat !== undefined && nowMs < iat * 1000 - leewayMs) return "issued-in-future";
    if (iat === undefined && maxAgeMs > 0) return "claim-missing";
    for (const { read, values } of this.required) {
      if (!isAmong(read(claims), values)) return "claim-missing";
    }
    return null;
  }

  /** When claims that have no flaw cease to hold; epoch milliseconds, Infinity for never. */
  expiryOf(claims: JsonObject): number {
    const { exp, iat } = claims;
    const { leewayMs, maxAgeMs } = this;
    const expiry = typeof exp === "number" ? exp * 1000 + leewayMs : Infinity;
    if (maxAgeMs === 0 || typeof iat !== "number") return expiry;
    return Math.min(expiry, iat * 1000 + maxAgeMs + leewayMs);
  }
}

/** Whether `aud` names one of the `audiences`; null accepts any. */
export function hasAudience(claims: JsonObject, audiences: ReadonlySet<string> | null): boolean {
  if (audiences === null) return true;
  const { aud } = claims;
  if (typeof aud === "string") return audiences.has(aud);
  if (!Array.isArray(aud)) return false;
  return aud.some((one) => typeof one === "string" && audiences.has(one));
}

/** NumericDate, RFC 7519 section 2. JSON has no infinities; 1e999 becomes one. */
function isTime(value: unknown): value is number | undefined {
  return value === undefined || Number.isFinite(value);
}

/** A claim that is a list has to hold one of the values. */
function isAmong(claim: unknown, values: readonly unknown[] | null): boolean {
  if (claim === undefined || claim === null) return false;
  if (values === null) return true;
  if (Array.isArray(claim)) return claim.some((one) => values.includes(one));
  return values.includes(claim);
}
