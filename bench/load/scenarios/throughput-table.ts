import type { RunningProxy } from "../proxy.ts";
import type { Column, Row, ScenarioResult } from "../scenario.ts";
import type { Slice } from "../slices.ts";
import { median } from "../statistics.ts";
import type { ThroughputOptions } from "./throughput.ts";

/** Above this share, somebody else on the proxy's core has disturbed the measurement. */
const OTHERS_SHARE_MAX = 0.05;
const MEGABYTE = 1e6;

const COLUMNS: readonly Column[] = [
  { key: "cpuUs", title: "CPU µs/request" },
  { key: "userUs", title: "user µs" },
  { key: "systemUs", title: "system µs" },
  { key: "ratio", title: "× nginx" },
  { key: "requestsPerSecond", title: "requests/s" },
  { key: "p50Ms", title: "p50 ms" },
  { key: "p99Ms", title: "p99 ms" },
  { key: "corePercent", title: "core %" },
  { key: "rssMb", title: "RSS MB" },
  { key: "pssMb", title: "PSS MB" },
];
const GROWTH: Column = { key: "growth", title: "× own first" };

/** Medians over the rounds; ratios are made per round, from slices that lie seconds apart. */
export function tabulate(
  options: ThroughputOptions,
  proxyCount: number,
  labels: readonly string[],
  proxies: readonly RunningProxy[],
  slices: readonly Slice[][],
): ScenarioResult {
  const withGrowth = options.variants.length > 1;
  const rows = proxies.map((_, index): Row => {
    // Proxies come variant by variant, in the same order in each.
    const variantStart = index - (index % proxyCount);
    const nginxIndex = proxies.findIndex(
      (each, at) => at >= variantStart && each.kind.name === "nginx",
    );
    const own = slices[index] ?? [];
    const values = summarise(own, slices[nginxIndex]);
    const growth = withGrowth ? medianRatio(own, slices[index % proxyCount]) : undefined;
    return { label: labels[index] ?? "", values: { ...values, growth } };
  });
  const notes = [...(options.notes ?? []), ...targets(options, rows), ...disturbances(slices)];
  return { columns: withGrowth ? [...COLUMNS, GROWTH] : COLUMNS, rows, notes };
}

function summarise(
  slices: readonly Slice[],
  nginxSlices: readonly Slice[] | undefined,
): Row["values"] {
  const middle = (value: (slice: Slice) => number): number => median(slices.map(value));
  return {
    cpuUs: middle(cpuUs),
    userUs: middle((slice) => slice.userUs),
    systemUs: middle((slice) => slice.systemUs),
    ratio: medianRatio(slices, nginxSlices),
    requestsPerSecond: middle(({ load }) => load.requestCount / load.seconds),
    p50Ms: middle(({ load }) => load.p50Ms),
    p99Ms: middle(({ load }) => load.p99Ms),
    corePercent: middle((slice) => slice.coreShare * 100),
    rssMb: middle((slice) => slice.rssBytes / MEGABYTE),
    pssMb: middle((slice) => slice.pssBytes / MEGABYTE),
  };
}

function cpuUs(slice: Slice): number {
  return slice.userUs + slice.systemUs;
}

function medianRatio(
  slices: readonly Slice[],
  base: readonly Slice[] | undefined,
): number | undefined {
  if (base === undefined) return undefined;
  return median(
    slices.map((slice, round) => {
      const against = base[round];
      return against === undefined ? Number.NaN : cpuUs(slice) / cpuUs(against);
    }),
  );
}

function targets(options: ThroughputOptions, rows: readonly Row[]): string[] {
  const notes: string[] = [];
  const last = rows.findLast(({ label }) => label.startsWith("gateward"));
  const state = (what: string, value: number | undefined, most: number | undefined): void => {
    if (value === undefined || most === undefined) return;
    const verdict = value <= most ? "met" : "MISSED";
    notes.push(`Target ${what} at most ${most}: ${verdict} (${value.toFixed(2)}).`);
  };
  state("× nginx", last?.values.ratio, options.targetRatio);
  state("× own first", last?.values.growth, options.targetGrowth);
  return notes;
}

function disturbances(slices: readonly Slice[][]): string[] {
  const worst = Math.max(...slices.flat().map((slice) => slice.othersShare));
  if (worst <= OTHERS_SHARE_MAX) return [];
  return [`Disturbed: others took up to ${(worst * 100).toFixed(0)} % of the proxies' core.`];
}
