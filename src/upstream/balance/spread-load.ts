// HOT
/**
 * How much of a service's load each failover group gets, as Envoy has it for its priority levels
 * (`LoadBalancerBase::recalculatePerPriorityState`): a group takes all that comes to it while at least
 * 1 / 1.4 of its targets (71 %) are usable, and passes the missing share on to the next below that.
 */
const OVERPROVISIONING = 1.4;
/** Loads are counted out of so many draws. */
const ALL = 2 ** 32;

/**
 * @param usable how many targets of each group are usable, out of `total`.
 * @param panicShare below which a group uses all of its targets, unless others can take the load; 0: never.
 * @param loads receives, for each group, how many of 2^32 draws fall to it or to one before it.
 * @param panics receives 1 for each group that uses all of its targets.
 */
export function spreadLoad(
  usable: Int32Array,
  total: Int32Array,
  panicShare: number,
  loads: Float64Array,
  panics: Uint8Array,
): void {
  const count = total.length;
  let whole = 0;
  let targets = 0;
  for (let group = 0; group < count; group++) {
    whole += healthOf(usable[group]!, total[group]!);
    targets += total[group]!;
  }
  const isEnough = count > 1 && whole >= 1;
  let allPanic = true;
  for (let group = 0; group < count; group++) {
    const panic = !isEnough && usable[group]! < total[group]! * panicShare;
    panics[group] = panic ? 1 : 0;
    if (!panic && total[group]! > 0) allPanic = false;
  }
  // None is better than another, so each gets what it has targets for.
  const bySize = allPanic || whole === 0;
  const scale = bySize ? 1 / targets : whole < 1 ? 1 / whole : 1;
  let given = 0;
  for (let group = 0; group < count; group++) {
    const size = total[group]!;
    given += (bySize ? size : healthOf(usable[group]!, size)) * scale;
    loads[group] = given >= 1 ? ALL : given * ALL;
  }
  // What rounding has left over, and all of it where there is no target.
  loads[count - 1] = ALL;
}

/** The share of the load that a group can take. */
function healthOf(usable: number, total: number): number {
  if (total === 0) return 0;
  const health = (usable * OVERPROVISIONING) / total;
  return health > 1 ? 1 : health;
}
