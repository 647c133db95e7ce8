/** json-value: what bodies are between reading and writing, whatever they came as. */
import { fitsDouble } from "../../base/scan-json.ts";

/** A number whose digits do not fit a double: `JSON.stringify` writes them as they came. */
export interface ExactNumber {
  readonly rawJSON: string;
}

export type JsonScalar = string | number | boolean | null | ExactNumber;
/**
 * A member that is undefined has been removed, and nothing writes it. Deleting it would make the map slower for
 * all that follows: a body with removals took twice as long then.
 */
export type JsonMap = { [name: string]: Json | undefined };
export type Json = JsonScalar | Json[] | JsonMap;

/** ECMAScript 2026, JSON.parse source text access; the compiler's library does not have it yet. */
interface JsonWithSource {
  rawJSON(text: string): ExactNumber;
  isRawJSON(value: unknown): value is ExactNumber;
  parse(
    text: string,
    reviver: (key: string, value: Json, context: { source?: string }) => Json,
  ): Json;
}

const source = JSON as unknown as JsonWithSource;

export function isMap(value: Json | undefined): value is JsonMap {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !source.isRawJSON(value);
}

/** Whether there is a member of its own; inherited names, such as `constructor`, are none. */
export function has(map: JsonMap, name: string): boolean {
  return Object.hasOwn(map, name) && map[name] !== undefined;
}

/** Reads a text that holds numbers of more digits than a double; they stay as they are written. */
export function parseExactly(text: string): Json {
  return source.parse(text, (_, value, context) => {
    if (typeof value !== "number" || context.source === undefined) return value;
    return numberOf(context.source);
  });
}

/** The number that `text` writes, as a double where that loses nothing. `text` is a number of JSON. */
export function numberOf(text: string): number | ExactNumber {
  const value = Number(text);
  if (fitsDouble(text) || String(value) === text) return value;
  return source.rawJSON(text);
}

/** Text of a scalar; undefined for lists and maps. */
export function scalarText(value: Json | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value === null) return "";
  return source.isRawJSON(value) ? value.rawJSON : undefined;
}
