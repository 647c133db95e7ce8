import { isMap, type Json, type JsonMap } from "../json-value.ts";
import type { Path } from "./path.ts";

/** What paths lead to from one place: a tree in which they share their beginnings. */
interface Branch {
  /** A path ends here: all of the value is picked. */
  isWhole: boolean;
  readonly names: Map<string, Branch>;
  readonly indexes: Map<number, Branch>;
  elements: Branch | null;
  any: Branch | null;
  deep: Branch | null;
}

/**
 * Compiles paths to a function that keeps what they lead to and nothing else. Maps and lists on the way stay,
 * also where nothing is left of them; those that only `*` and `**` lead through stay if something is. Other values
 * on the way are left out. Lists keep their elements' order, but not the elements that nothing leads to.
 *
 * @returns undefined where nothing of the value is picked
 */
export function compilePick(paths: readonly Path[]): (value: Json) => Json | undefined {
  const root = createBranch();
  for (const path of paths) grow(root, path);
  const start = opened([root]);
  return (value) => pick(value, start, true);
}

function pick(value: Json, branches: readonly Branch[], isNamed: boolean): Json | undefined {
  for (const branch of branches) if (branch.isWhole) return value;
  if (Array.isArray(value)) {
    const kept: Json[] = [];
    for (let index = 0; index < value.length; index++) {
      const next: Branch[] = [];
      for (const branch of branches) {
        add(next, branch.elements);
        add(next, branch.indexes.get(index) ?? null);
      }
      const isNext = next.length > 0;
      for (const branch of branches) add(next, branch.any);
      const one = keep(value[index], next, branches, isNext);
      if (one !== undefined) kept.push(one);
    }
    return isNamed || kept.length > 0 ? kept : undefined;
  }
  if (!isMap(value)) return undefined;
  const kept: JsonMap = {};
  let isEmpty = true;
  for (const name of Object.keys(value)) {
    const next: Branch[] = [];
    for (const branch of branches) add(next, branch.names.get(name) ?? null);
    const isNext = next.length > 0;
    for (const branch of branches) add(next, branch.any);
    const one = keep(value[name], next, branches, isNext);
    if (one === undefined) continue;
    kept[name] = one;
    isEmpty = false;
  }
  return isNamed || !isEmpty ? kept : undefined;
}

/** Goes on with what leads here, and with every `**` that has been met. */
function keep(
  value: Json | undefined,
  led: readonly Branch[],
  from: readonly Branch[],
  isNamed: boolean,
): Json | undefined {
  if (value === undefined) return undefined;
  const next = opened(led);
  for (const branch of from) if (deepBranches.has(branch)) next.push(branch);
  return next.length === 0 ? undefined : pick(value, next, isNamed);
}

/** Branches that begin after a `**`, and so hold at every depth below it. */
const deepBranches = new WeakSet<Branch>();

/** `**` is also the value itself. */
function opened(branches: readonly Branch[]): Branch[] {
  const all: Branch[] = [];
  for (const branch of branches) {
    all.push(branch);
    if (branch.deep !== null) all.push(branch.deep);
  }
  return all;
}

function add(list: Branch[], branch: Branch | null): void {
  if (branch !== null) list.push(branch);
}

function grow(root: Branch, path: Path): void {
  let branch = root;
  for (const segment of path) {
    switch (segment.kind) {
      case "name":
        branch = branchAt(branch.names, segment.name);
        break;
      case "index":
        branch = branchAt(branch.indexes, segment.index);
        break;
      case "elements":
        branch = branch.elements ??= createBranch();
        break;
      case "any":
        branch = branch.any ??= createBranch();
        break;
      case "deep":
        branch = branch.deep ??= createBranch();
        deepBranches.add(branch);
    }
  }
  branch.isWhole = true;
}

function branchAt<Key>(branches: Map<Key, Branch>, key: Key): Branch {
  let branch = branches.get(key);
  if (branch === undefined) branches.set(key, (branch = createBranch()));
  return branch;
}

function createBranch(): Branch {
  return {
    isWhole: false,
    names: new Map(),
    indexes: new Map(),
    elements: null,
    any: null,
    deep: null,
  };
}
