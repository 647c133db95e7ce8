/**
 * A place's civil time. What its clocks show is counted in milliseconds as if it were UTC: "wall" time. In
 * the hour that is skipped in spring no moment shows it; the one in autumn is shown twice.
 */
export interface TimeZone {
  /** What the clocks show at a moment. */
  wallAt(epochMs: number): number;
  /** The first moment at which the clocks show it, or something later where they never do. */
  momentOf(wallMs: number): number;
}

const DAY_MS = 86_400_000;

const utc: TimeZone = { wallAt: (epochMs) => epochMs, momentOf: (wallMs) => wallMs };

/** @param name of the IANA database. @throws RangeError for one that it does not have */
export function timeZone(name: string): TimeZone {
  const format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
    timeZone: name,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  if (format.resolvedOptions().timeZone === "UTC") return utc;
  const wallAt = (epochMs: number): number => {
    const shown: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(epochMs)) shown[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, second) + (epochMs % 1000);
  };
  return { wallAt, momentOf: (wallMs) => firstMoment(wallMs, wallAt) };
}

/** Clocks are changed at most once within a day either way. */
function firstMoment(wallMs: number, wallAt: (epochMs: number) => number): number {
  const early = wallMs - offsetAt(wallMs - DAY_MS, wallAt);
  const late = wallMs - offsetAt(wallMs + DAY_MS, wallAt);
  const fits = [early, late].filter((epochMs) => wallAt(epochMs) === wallMs);
  if (fits.length > 0) return Math.min(...fits);
  // Skipped: between the two the clocks jump over it.
  let before = Math.min(early, late);
  let after = Math.max(early, late);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (wallAt(middle) < wallMs) before = middle;
    else after = middle;
  }
  return after;
}

function offsetAt(epochMs: number, wallAt: (epochMs: number) => number): number {
  return wallAt(epochMs) - epochMs;
}
