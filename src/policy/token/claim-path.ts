import type { JsonObject } from "../../base/strict-json.ts";

/** Reads one place in the claims of a token; undefined where there is nothing. */
export type ReadClaim = (claims: JsonObject) => unknown;

/**
 * Compiles the name of a claim, or a path of names with dots: `realm_access.roles`. A claim whose own
 * name has dots in it, such as `https://a.example/roles`, is found first.
 */
export function compileClaimPath(path: string): ReadClaim {
  const names = path.split(".");
  if (names.length === 1) return (claims) => memberOf(claims, path);
  return (claims) => {
    const whole = memberOf(claims, path);
    return whole === undefined ? names.reduce<unknown>(memberOf, claims) : whole;
  };
}

/**
 * Compiles several paths whose texts are joined: a text, or a list of texts, under each.
 *
 * @param separator splits a text into several; "" for none
 */
export function compileTextClaims(
  paths: readonly string[],
  separator: string,
): (claims: JsonObject) => readonly string[] {
  const readers = paths.map(compileClaimPath);
  return (claims) => {
    const found = new Set<string>();
    for (const read of readers) {
      for (const text of textsIn(read(claims), separator)) if (text !== "") found.add(text);
    }
    return [...found];
  };
}

/** Own members of objects only: `constructor` is no claim. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as JsonObject)[name] : undefined;
}

function textsIn(value: unknown, separator: string): readonly string[] {
  if (typeof value === "string") return separator === "" ? [value] : value.split(separator);
  if (!Array.isArray(value)) return [];
  return value.filter((one) => typeof one === "string");
}
