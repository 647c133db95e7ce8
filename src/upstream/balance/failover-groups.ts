import type { Target } from "./target.ts";

/**
 * The targets of a service by the order in which they are to be asked: by priority, and within a priority those in
 * the gateway's own zone first. Always one group at least.
 */
export function groupTargets(targets: readonly Target[], zone: string): Target[][] {
  const groups = new Map<number, Target[]>();
  for (const target of targets) {
    const isLocal = zone === "" || target.zone === zone;
    const rank = target.priority * 2 + (isLocal ? 0 : 1);
    const group = groups.get(rank);
    if (group === undefined) groups.set(rank, [target]);
    else group.push(target);
  }
  if (groups.size === 0) return [[]];
  return [...groups].toSorted(([one], [other]) => one - other).map(([, group]) => group);
}
