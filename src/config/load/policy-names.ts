import type { DocumentPath } from "../mistake.ts";
import { ALL_OF, ANY_OF } from "../schema/policy-use.ts";

/** Where a document uses a policy. */
export interface WrittenUse {
  name: string;
  path: DocumentPath;
}

const conditionKeys = new Set(["when", "unless"]);

/**
 * Uses of policies in a document that has not been checked yet: in the lists named `policies` at its top and
 * one level below, in services, routes and the like, and within combinations.
 */
export function* writtenUses(data: unknown): Generator<WrittenUse> {
  for (const [key, value] of entriesOf(data)) {
    if (key === "policies") yield* usesOf(value, [key]);
    else {
      for (const [name, part] of entriesOf(value)) {
        if (isMap(part)) yield* usesOf(part["policies"], [key, name, "policies"]);
      }
    }
  }
}

function* usesOf(list: unknown, path: DocumentPath): Generator<WrittenUse> {
  if (!Array.isArray(list)) return;
  for (const [index, use] of (list as unknown[]).entries()) {
    const here = [...path, index];
    if (typeof use === "string") yield { name: use, path: here };
    if (!isMap(use)) continue;
    for (const [name, value] of Object.entries(use)) {
      if (conditionKeys.has(name)) continue;
      if (name === ANY_OF || name === ALL_OF) yield* usesOf(value, [...here, name]);
      else yield { name, path: [...here, name] };
    }
  }
}

function entriesOf(value: unknown): [string | number, unknown][] {
  if (Array.isArray(value)) return [...(value as unknown[]).entries()];
  return isMap(value) ? Object.entries(value) : [];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
