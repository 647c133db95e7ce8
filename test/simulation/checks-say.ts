import type { SimulatedCheck } from "./simulated-service.ts";

/** What checks say of targets, by their outcomes alone. */
export interface SaidByChecks {
  /** Since when a target has been down at `atMs`; Infinity where it is not. */
  downSince(target: number, atMs: number): number;
}

interface Down {
  fromMs: number;
  untilMs: number;
}

/** Down from so many failures in a row on, until so many passes in a row; the first check of all is enough to be up. */
export function checksSay(
  checks: readonly SimulatedCheck[],
  targets: number,
  thresholds: { unhealthy: number; healthy: number },
): SaidByChecks {
  const downs = Array.from({ length: targets }, (_, target) => {
    return downTimes(
      checks.filter((check) => check.target === target),
      thresholds,
    );
  });
  return {
    downSince(target, atMs) {
      const down = downs[target]!.find(({ fromMs, untilMs }) => fromMs <= atMs && atMs < untilMs);
      return down?.fromMs ?? Infinity;
    },
  };
}

function downTimes(
  checks: readonly SimulatedCheck[],
  { unhealthy, healthy }: { unhealthy: number; healthy: number },
): Down[] {
  const downs: Down[] = [];
  let isDown = false;
  let row = 0;
  for (const { atMs, passed } of checks) {
    // What goes on as it was ends a row of the other.
    row = passed === isDown ? row + 1 : 0;
    if (row < (isDown ? healthy : unhealthy)) continue;
    if (isDown) downs.at(-1)!.untilMs = atMs;
    else downs.push({ fromMs: atMs, untilMs: Infinity });
    isDown = !isDown;
    row = 0;
  }
  return downs;
}
