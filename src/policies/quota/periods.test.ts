import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { periodAt, PERIOD_UNITS, type PeriodUnit } from "./periods.ts";
import { timeZone } from "./time-zone.ts";

type Case = readonly [zone: string, unit: PeriodUnit, at: string, start: string, end: string];

const calendar: readonly Case[] = [
  ["UTC", "minute", "2026-03-05T10:11:12Z", "2026-03-05T10:11:00Z", "2026-03-05T10:12:00Z"],
  ["UTC", "hour", "2026-03-05T10:11:12Z", "2026-03-05T10:00:00Z", "2026-03-05T11:00:00Z"],
  [
    "Asia/Kathmandu",
    "hour",
    "2026-03-05T10:11:12Z",
    "2026-03-05T09:15:00Z",
    "2026-03-05T10:15:00Z",
  ],
  ["UTC", "day", "2026-03-05T00:00:00Z", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z"],
  ["UTC", "week", "2026-03-05T10:00:00Z", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"],
  ["UTC", "month", "2026-02-28T23:59:59Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"],
  ["UTC", "year", "2028-12-31T23:59:59Z", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"],
  ["Europe/Berlin", "day", "2026-01-05T22:30:00Z", "2026-01-04T23:00:00Z", "2026-01-05T23:00:00Z"],
  // 23 and 25 hours, when clocks are changed.
  ["Europe/Berlin", "day", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
  ["Europe/Berlin", "day", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
  [
    "Europe/Berlin",
    "month",
    "2026-03-31T21:59:59Z",
    "2026-02-28T23:00:00Z",
    "2026-03-31T22:00:00Z",
  ],
  [
    "America/New_York",
    "year",
    "2026-01-01T04:59:59Z",
    "2025-01-01T05:00:00Z",
    "2026-01-01T05:00:00Z",
  ],
  // Midnight does not exist there on this day: clocks go from 24:00 to 01:00.
  ["Africa/Cairo", "day", "2026-04-24T10:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"],
  // Nor does the whole 30th of December 2011.
  ["Pacific/Apia", "day", "2011-12-30T09:59:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"],
];

for (const [zone, unit, at, start, end] of calendar) {
  test(`periods: ${at} lies in the ${unit} from ${start} in ${zone}`, () => {
    const { startMs, endMs } = periodAt(Date.parse(at), unit, timeZone(zone));
    assert.equal(iso(startMs), start);
    assert.equal(iso(endMs), end);
  });
}

const anchored: readonly (readonly [anchor: string, ...Case])[] = [
  [
    "2026-01-15T00:00:00Z",
    "UTC",
    "month",
    "2026-03-05T00:00:00Z",
    "2026-02-15T00:00:00Z",
    "2026-03-15T00:00:00Z",
  ],
  [
    "2026-01-31T12:00:00Z",
    "UTC",
    "month",
    "2026-02-28T12:00:00Z",
    "2026-02-28T12:00:00Z",
    "2026-03-31T12:00:00Z",
  ],
  [
    "2024-02-29T00:00:00Z",
    "UTC",
    "year",
    "2026-01-01T00:00:00Z",
    "2025-02-28T00:00:00Z",
    "2026-02-28T00:00:00Z",
  ],
  [
    "2026-01-07T09:00:00Z",
    "UTC",
    "week",
    "2026-02-04T08:59:59Z",
    "2026-01-28T09:00:00Z",
    "2026-02-04T09:00:00Z",
  ],
  [
    "2026-06-15T00:00:00Z",
    "UTC",
    "month",
    "2026-03-05T00:00:00Z",
    "2026-02-15T00:00:00Z",
    "2026-03-15T00:00:00Z",
  ],
  [
    "2026-01-01T10:20:30Z",
    "UTC",
    "hour",
    "2026-03-05T00:00:00Z",
    "2026-03-04T23:20:30Z",
    "2026-03-05T00:20:30Z",
  ],
  // The clocks show the same, though it is an hour earlier in UTC.
  [
    "2026-01-14T23:00:00Z",
    "Europe/Berlin",
    "month",
    "2026-07-20T00:00:00Z",
    "2026-07-14T22:00:00Z",
    "2026-08-14T22:00:00Z",
  ],
];

for (const [anchor, zone, unit, at, start, end] of anchored) {
  test(`periods: from ${anchor} on, ${at} lies in the ${unit} from ${start}`, () => {
    const { startMs, endMs } = periodAt(Date.parse(at), unit, timeZone(zone), Date.parse(anchor));
    assert.equal(iso(startMs), start);
    assert.equal(iso(endMs), end);
  });
}

test("periods: they hold their moment and follow one another without gap or overlap", () => {
  const moments = fc.integer({ min: Date.parse("2005-01-01"), max: Date.parse("2040-01-01") });
  const zones = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Tehran", "Africa/Cairo"];
  const anchors = fc.option(moments, { nil: null });
  const property = fc.property(
    moments,
    fc.constantFrom(...PERIOD_UNITS.filter((unit) => unit !== "hour")),
    fc.constantFrom(...zones),
    anchors,
    (at, unit, name, anchor) => {
      const zone = timeZone(name);
      const { startMs, endMs } = periodAt(at, unit, zone, anchor);
      assert.ok(startMs <= at && at < endMs);
      assert.deepEqual(periodAt(startMs, unit, zone, anchor), { startMs, endMs });
      assert.deepEqual(periodAt(endMs - 1, unit, zone, anchor), { startMs, endMs });
      assert.equal(periodAt(endMs, unit, zone, anchor).startMs, endMs);
    },
  );
  fc.assert(property, { numRuns: 150 });
});

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(".000Z", "Z");
}
