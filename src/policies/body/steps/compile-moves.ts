import { Refusal } from "../../../policy/values/refusal.ts";
import { has, isMap, type Json, type JsonMap } from "../json-value.ts";
import { compilePlaces, removeAt, replace, valueAt } from "../paths/compile-places.ts";
import { parsePath, type Path, type Segment } from "../paths/path.ts";
import type { Step } from "./step.ts";

/** Gives the last name of each path another one. What had that name already is replaced. */
export function compileRename(names: Readonly<Record<string, string>>): Step {
  const renames = Object.entries(names).map(([from, to]) => {
    const path = parsePath(from);
    if (path.at(-1)?.kind !== "name")
      throw new Refusal(`${from} does not end with a name to change`);
    if (to === "__proto__") throw new Refusal("__proto__ is a name that no body has");
    return compilePlaces(path, (holder, key) => {
      if (key === to) return;
      const value = valueAt(holder, key);
      removeAt(holder, key);
      replace(holder, to, value);
    });
  });
  return (value) => {
    for (const rename of renames) rename(value, undefined);
    return value;
  };
}

/** Moves what a path leads to to another place, below the list that both are in. */
export function compileMove(moves: Readonly<Record<string, string>>): Step {
  const compiled = Object.entries(moves).map(([from, to]) => compileOneMove(from, to));
  return (value) => {
    const holder: JsonMap = { body: value };
    for (const move of compiled) move(holder, undefined);
    return holder["body"]!;
  };
}

function compileOneMove(from: string, to: string) {
  const source = parsePath(from);
  const goal = parsePath(to);
  const shared = source.findLastIndex(({ kind }) => kind !== "name") + 1;
  const leads = JSON.stringify(source.slice(0, shared)) === JSON.stringify(goal.slice(0, shared));
  const take = namesOf(source.slice(shared));
  const put = namesOf(goal.slice(shared));
  if (!leads || take === null || put === null || take.length === 0 || put.length === 0) {
    const hint = "both have to lead through the same lists: items[].a to items[].b.c";
    throw new Refusal(`${from} cannot be moved to ${to}`, hint);
  }
  const root: Segment = { kind: "name", name: "body" };
  return compilePlaces([root, ...source.slice(0, shared)], (holder, key) => {
    const base = valueAt(holder, key);
    const owner = mapAt(base, take.slice(0, -1));
    const name = take.at(-1)!;
    if (owner === null || !has(owner, name)) return;
    const value = owner[name]!;
    owner[name] = undefined;
    // Where something that is no map is in the way it stays where it was.
    if (!putAt(base, put, value)) owner[name] = value;
  });
}

/** Puts a value at names below one another; maps that are missing are made. @returns false where one is no map */
export function putAt(base: Json, names: readonly string[], value: Json): boolean {
  if (!isMap(base)) return false;
  let map = base;
  const last = names.length - 1;
  for (let index = 0; index < last; index++) {
    const name = names[index]!;
    if (!has(map, name)) map[name] = {};
    const next = map[name];
    if (!isMap(next)) return false;
    map = next;
  }
  map[names[last]!] = value;
  return true;
}

/** The map at names below one another; null where there is none. */
export function mapAt(base: Json, names: readonly string[]): JsonMap | null {
  let value: Json = base;
  for (const name of names) {
    if (!isMap(value) || !has(value, name)) return null;
    value = value[name]!;
  }
  return isMap(value) ? value : null;
}

/** Null where a segment is no name. */
export function namesOf(path: Path): readonly string[] | null {
  const names = path.map((segment) => (segment.kind === "name" ? segment.name : null));
  return names.includes(null) ? null : (names as string[]);
}
