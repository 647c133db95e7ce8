import type { Consumer } from "../consumers.ts";
import type { Identity } from "../identity.ts";
import type { CelInput } from "./cel-library.ts";

/** Deeper claims are not looked at: expressions name each step. */
const DEPTH_MAX = 32;

/** The members of an identity, as an expression sees them. Made once for each identity. */
export function identityMap(identity: Identity): ReadonlyMap<string, CelInput> {
  return new Map<string, CelInput>([
    ["method", identity.method],
    ["subject", identity.subject],
    ["issuer", identity.issuer],
    ["consumer", identity.consumer === null ? null : consumerMap(identity.consumer)],
    ["scopes", [...identity.scopes]],
    ["roles", [...identity.roles]],
    ["groups", [...identity.groups]],
    ["claims", plainValue(identity.claims, 0)],
  ]);
}

function consumerMap(consumer: Consumer): ReadonlyMap<string, CelInput> {
  return new Map<string, CelInput>([
    ["name", consumer.name],
    ["groups", [...consumer.groups]],
    ["roles", [...consumer.roles]],
    ["scopes", [...consumer.scopes]],
    ["metadata", plainValue(consumer.metadata, 0)],
    ["plan", consumer.plan],
  ]);
}

/**
 * Plain data as the library takes it. It would convert objects by itself, at every access, and looks at
 * their `constructor` to tell them from others: a claim of that name would make the identity unreadable.
 */
function plainValue(value: unknown, depth: number): CelInput {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "object":
      if (value === null || depth > DEPTH_MAX) return null;
      if (Array.isArray(value)) return value.map((one) => plainValue(one, depth + 1));
      return new Map(
        Object.entries(value).map(([key, one]) => [key, plainValue(one, depth + 1)] as const),
      );
    default:
      return null;
  }
}
