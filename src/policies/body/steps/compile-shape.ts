import { has, isMap, type JsonMap } from "../json-value.ts";
import { compilePlaces, replace, valueAt } from "../paths/compile-places.ts";
import { parsePath, parsePlainPath, type Segment } from "../paths/path.ts";
import { mapAt } from "./compile-moves.ts";
import type { Step } from "./step.ts";

const ROOT: Segment = { kind: "name", name: "body" };

/** Puts the whole body under names. */
export function compileWrap(path: string): Step {
  const names = parsePlainPath(path).toReversed();
  return (value) => {
    let wrapped = value;
    for (const name of names) wrapped = { [name]: wrapped };
    return wrapped;
  };
}

/** Leaves of the body what is under names; all of it where nothing is. */
export function compileUnwrap(path: string): Step {
  const names = parsePlainPath(path);
  const last = names.at(-1)!;
  const before = names.slice(0, -1);
  return (value) => {
    const owner = mapAt(value, before);
    return owner !== null && has(owner, last) ? owner[last]! : value;
  };
}

/**
 * Makes maps within maps one map, whose names are joined: `{ a: { b: 1 } }` becomes `{ "a.b": 1 }`. Lists, and
 * what is in them, stay as they are. Of several values with one name the last stays.
 *
 * @param path what to flatten; "" for the body itself
 */
export function compileFlatten(path: string, separator: string): Step {
  const segments = path === "" ? [] : parsePath(path);
  const places = compilePlaces([ROOT, ...segments], (holder, key) => {
    const value = valueAt(holder, key);
    if (!isMap(value)) return;
    const flat: JsonMap = {};
    flatten(value, "", separator, flat);
    replace(holder, key, flat);
  });
  return (value) => {
    const holder: JsonMap = { body: value };
    places(holder, undefined);
    return holder["body"]!;
  };
}

function flatten(map: JsonMap, prefix: string, separator: string, flat: JsonMap): void {
  for (const [name, value] of Object.entries(map)) {
    const joined = prefix + name;
    if (value === undefined) continue;
    if (isMap(value) && Object.keys(value).length > 0) {
      flatten(value, joined + separator, separator, flat);
    } else if (joined !== "__proto__") flat[joined] = value;
  }
}
