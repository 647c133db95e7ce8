import { has, isMap, type Json, type JsonMap } from "../json-value.ts";
import { compilePlaces, replace, valueAt } from "../paths/compile-places.ts";
import { parsePath, type Segment } from "../paths/path.ts";
import type { Exchange } from "../../../policy/exchange.ts";
import { mapAt, namesOf, putAt } from "./compile-moves.ts";
import type { Step } from "./step.ts";

const ROOT: Segment = { kind: "name", name: "body" };

/** Gives a new value for each place: two places never share a list or a map. Undefined: nothing is put there. */
export type ValueSource = (exchange: Exchange) => Json | undefined;

/**
 * Puts values at paths. Names after the last list are made where they are missing; through lists and `*` only
 * what is there is reached.
 *
 * @param isDefault only where nothing is yet; a null is something
 */
export function compileSet(
  values: Readonly<Record<string, Json>>,
  sourceOf: (value: Json) => ValueSource,
  isDefault: boolean,
): Step {
  const sets = Object.entries(values).map(([text, value]) => {
    const path = parsePath(text);
    const source = sourceOf(value);
    const shared = path.findLastIndex(({ kind }) => kind !== "name") + 1;
    const names = namesOf(path.slice(shared))!;
    return compilePlaces<Exchange>([ROOT, ...path.slice(0, shared)], (holder, key, exchange) => {
      const base = valueAt(holder, key);
      if (names.length === 0) {
        const given = isDefault ? undefined : source(exchange);
        if (given !== undefined) replace(holder, key, given);
        return;
      }
      if (!isMap(base)) return;
      if (isDefault) {
        const owner = mapAt(base, names.slice(0, -1));
        if (owner !== null && has(owner, names.at(-1)!)) return;
      }
      const given = source(exchange);
      if (given !== undefined) putAt(base, names, given);
    });
  });
  return (value, exchange) => {
    const holder: JsonMap = { body: value };
    for (const set of sets) set(holder, exchange);
    return holder["body"]!;
  };
}

/** The same value each time, copied where it could be changed later. */
export function constant(value: Json): ValueSource {
  if (typeof value !== "object" || value === null) return () => value;
  return () => structuredClone(value);
}
