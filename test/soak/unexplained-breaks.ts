import type { Death } from "./death-driver.ts";
import type { Break } from "./soak-records.ts";

/** How long after the order to die a worker's connections may still break. */
const DYING_MS = 2000;
/** A connection that had no answer yet may have waited to be accepted by the dead worker. */
const WAITING_MS = 1000;

/**
 * Of the connections that broke, those that no death explains. A connection breaks rightly when its own
 * worker died just then; one whose worker is unknown, because none of its requests was logged, when any did.
 * @param workers by connection, as the access log tells.
 */
export function unexplainedBreaks(
  breaks: readonly Break[],
  deaths: readonly Death[],
  workers: ReadonlyMap<string, number>,
): Break[] {
  return breaks.filter((one) => {
    const worker = workers.get(one.connection);
    return !deaths.some((death) => {
      const isThen = one.atMs >= death.atMs && one.atMs <= death.atMs + DYING_MS;
      if (!isThen) return false;
      if (worker !== undefined) return worker === death.worker;
      return isLongLived(one) || one.openedAtMs >= death.atMs - WAITING_MS;
    });
  });
}

/** Tunnels and slow requests are logged when they end, so a break of theirs leaves no line. */
function isLongLived({ what }: Break): boolean {
  return /tunnel|slow|leaving/.test(what);
}
