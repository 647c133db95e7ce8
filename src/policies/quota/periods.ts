import type { QuotaPeriod } from "../../policy/quota-counts.ts";
import type { TimeZone } from "./time-zone.ts";

export const PERIOD_UNITS = ["minute", "hour", "day", "week", "month", "year"] as const;
export type PeriodUnit = (typeof PERIOD_UNITS)[number];

const LENGTH_MS = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
} as const;
/** Roughly, to guess the number of a period; corrected afterwards. */
const MONTH_MS = 30.436875 * 86_400_000;

/** A Monday, at the beginning of a month and of a year that all calendar periods can be counted from. */
const CALENDAR_START = Date.UTC(1900, 0, 1);

/**
 * The period in which a moment lies.
 *
 * @param anchorMs a moment at which one begins, also a later one; null: they follow the calendar of the
 *   zone, with weeks from Monday on
 */
export function periodAt(
  epochMs: number,
  unit: PeriodUnit,
  zone: TimeZone,
  anchorMs: number | null = null,
): QuotaPeriod {
  if (unit === "minute" || unit === "hour") return shortPeriod(epochMs, unit, zone, anchorMs);
  const anchor = anchorMs === null ? CALENDAR_START : zone.wallAt(anchorMs);
  const startOf = (number: number): number => zone.momentOf(wallStart(number, unit, anchor));
  let number = guess(zone.wallAt(epochMs) - anchor, unit);
  while (startOf(number) > epochMs) number--;
  while (startOf(number + 1) <= epochMs) number++;
  return { startMs: startOf(number), endMs: startOf(number + 1) };
}

/** They are as long when clocks are changed, so only the zone's minutes matter. */
function shortPeriod(
  epochMs: number,
  unit: "minute" | "hour",
  zone: TimeZone,
  anchorMs: number | null,
): QuotaPeriod {
  const lengthMs = LENGTH_MS[unit];
  const sinceMs = anchorMs === null ? zone.wallAt(epochMs) : epochMs - anchorMs;
  const startMs = epochMs - (((sinceMs % lengthMs) + lengthMs) % lengthMs);
  return { startMs, endMs: startMs + lengthMs };
}

function guess(sinceMs: number, unit: "day" | "week" | "month" | "year"): number {
  if (unit === "month") return Math.floor(sinceMs / MONTH_MS);
  if (unit === "year") return Math.floor(sinceMs / (12 * MONTH_MS));
  return Math.floor(sinceMs / LENGTH_MS[unit]);
}

/** What the clocks show when period `number` begins. */
function wallStart(
  number: number,
  unit: "day" | "week" | "month" | "year",
  anchor: number,
): number {
  if (unit === "day" || unit === "week") return anchor + number * LENGTH_MS[unit];
  return withMonths(anchor, unit === "month" ? number : 12 * number);
}

/** A month after the 31st of January is the end of February, and two after it the 31st of March. */
function withMonths(wallMs: number, months: number): number {
  const date = new Date(wallMs);
  const month = date.getUTCMonth() + months;
  const year = date.getUTCFullYear();
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const day = Math.min(date.getUTCDate(), lastDay);
  return Date.UTC(year, month, day) + (((wallMs % 86_400_000) + 86_400_000) % 86_400_000);
}
