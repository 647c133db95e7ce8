import { z } from "zod";
import { suggestion } from "./did-you-mean.ts";
import { shown } from "./shown.ts";

interface SectionOptions {
  /** What the map is. */
  what?: string;
  /** The sentence about a key that is not among `known`. */
  unknown?: (key: string, known: readonly string[]) => string;
}

/**
 * A map with known keys. Any other key is a mistake of its own, with the key most like it; the
 * messages stand one to a line, in the order of the issue's `keys`.
 */
export function section<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  { what = "a map", unknown = unknownKey }: SectionOptions = {},
) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === "unrecognized_keys") {
        return issue.keys.map((key) => unknown(key, known)).join("\n");
      }
      return `expected ${what}, found ${shown(issue.input)}; write keys among ${known.join(", ")}`;
    },
  });
}

/** The sentence about a key that is not among `known`. */
export function unknownKey(key: string, known: readonly string[]): string {
  if (known.length === 0) return `unknown key ${JSON.stringify(key)}`;
  const hint = suggestion(key, known) ?? `known keys: ${known.join(", ")}`;
  return `unknown key ${JSON.stringify(key)}; ${hint}`;
}

/** The type of an object whose keys have gained the suffix `Ms`. */
export type InMs<T> = { [K in keyof T as `${K & string}Ms`]: T[K] };

/** Says the unit in the names: `{ idle: 75000 }` becomes `{ idleMs: 75000 }`. */
export function inMs<T extends object>(durations: T): InMs<T> {
  const entries = Object.entries(durations).map(([key, value]) => [`${key}Ms`, value]);
  return Object.fromEntries(entries) as InMs<T>;
}
