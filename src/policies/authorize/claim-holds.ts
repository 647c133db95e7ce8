import type { ClaimRule, ClaimValue } from "./rule-schema.ts";

/** Whether the claims of a token are as the rule says; what is absent is nothing. */
export function claimHolds(
  claims: Readonly<Record<string, unknown>>,
  { path, any, all, present }: ClaimRule,
): boolean {
  const claim = claimAt(claims, path);
  if (present !== null && present !== (claim !== undefined)) return false;
  if (any.length > 0 && !any.some((value) => isOrHolds(claim, value))) return false;
  return all.every((value) => isOrHolds(claim, value));
}

/** A claim by its whole name first, as `https://a.example/roles` is one; then by the dots in it. */
function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let at: unknown = claims;
  for (const key of path.split(".")) {
    if (typeof at !== "object" || at === null || Array.isArray(at)) return undefined;
    if (!Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

/** Kinds are told apart: the text "1" is not the number. */
function isOrHolds(claim: unknown, value: ClaimValue): boolean {
  return Array.isArray(claim) ? claim.includes(value) : claim === value;
}
