import { isUtf8 } from "node:buffer";
import { MemberCount } from "./member-count.ts";
import { scanJson } from "./scan-json.ts";

const DEPTH_MAX = 16;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a JSON object that a stranger wrote, such as the claims of a token. Refused, beside what is no
 * object: text that is not UTF-8; a name that stands twice in one object, because two readers may take
 * different ones; `__proto__` as a name, because a careless copy would make it a prototype; nesting
 * deeper than 16. The result is frozen through and through, so that many may hold it.
 *
 * @returns null for what is refused
 */
export function parseStrictJson(bytes: Uint8Array): JsonObject | null {
  const read = readStrictJson(bytes, DEPTH_MAX);
  if (read.flaw !== undefined) return null;
  const { value } = read;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  freeze(value);
  return value as JsonObject;
}

/** Why text is refused: a sentence's end that begins with a verb. */
export type JsonFlaw =
  | "is not UTF-8"
  | "is not JSON"
  | "is nested too deeply"
  | "has a name twice in one object"
  | "has the name __proto__";

export type StrictJson = { value: unknown; flaw?: undefined } | { flaw: JsonFlaw };

/**
 * Reads JSON that a stranger wrote, of whatever kind, by the same rules as `parseStrictJson`.
 *
 * @param depthMax how deeply objects and lists may be nested
 */
export function readStrictJson(bytes: Uint8Array, depthMax: number): StrictJson {
  if (!isUtf8(bytes)) return { flaw: "is not UTF-8" };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const { isTooDeep, memberCount } = scanJson(text, depthMax);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { flaw: "is not JSON" };
  }
  if (isTooDeep) return { flaw: "is nested too deeply" };
  const { count, hasReservedName } = new MemberCount(value);
  if (hasReservedName) return { flaw: "has the name __proto__" };
  return count === memberCount ? { value } : { flaw: "has a name twice in one object" };
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}
