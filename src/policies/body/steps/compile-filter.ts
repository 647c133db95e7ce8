import { isMap, type Json } from "../json-value.ts";
import { compilePlaces, removeAt, replace, valueAt } from "../paths/compile-places.ts";
import { parsePath } from "../paths/path.ts";
import type { Mask } from "./compile-mask.ts";
import type { Step } from "./step.ts";

const KNOWN_COUNT_MAX = 512;
const KNOWN_LENGTH_MAX = 64;

export interface FilterSettings {
  readonly names: readonly string[];
  readonly paths: readonly string[];
  readonly ignoreCase: boolean;
}

/** Removes, or masks, what has one of the names anywhere in the body, and what a path leads to. */
export function compileFilter(settings: FilterSettings, mask: Mask | null): Step {
  const { names, paths, ignoreCase } = settings;
  const places = paths.map((path) => {
    return compilePlaces(parsePath(path), (holder, key) => {
      if (mask === null) removeAt(holder, key);
      else replace(holder, key, mask(valueAt(holder, key)));
    });
  });
  const wanted = new Set(ignoreCase ? names.map(folded) : names);
  const isWanted = ignoreCase ? foldingTest(wanted) : (name: string) => wanted.has(name);
  const sift = (value: Json): void => {
    if (typeof value !== "object") return;
    if (Array.isArray(value)) {
      for (const one of value) sift(one);
    } else if (isMap(value)) {
      for (const name of Object.keys(value)) {
        const one = value[name];
        if (one === undefined) continue;
        if (!isWanted(name)) sift(one);
        else value[name] = mask === null ? undefined : mask(one);
      }
    }
  };
  return (value) => {
    if (wanted.size > 0) sift(value);
    for (const place of places) place(value, undefined);
    return value;
  };
}

/** Remembers names, because bodies have the same ones again and again, and folding is the dearest part. */
function foldingTest(wanted: ReadonlySet<string>): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    let isWanted = known.get(name);
    if (isWanted === undefined) {
      isWanted = wanted.has(folded(name));
      if (known.size === KNOWN_COUNT_MAX) known.clear();
      if (name.length <= KNOWN_LENGTH_MAX) known.set(name, isWanted);
    }
    return isWanted;
  };
}

/** `Pass_Word`, `pass-word` and `PASSWORD` are one name; so are those with letters that only look the same. */
function folded(name: string): string {
  return name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[-_\s]/g, "");
}
