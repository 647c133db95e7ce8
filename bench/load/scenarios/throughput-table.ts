import type { ProxyName, RunningProxy } from "../proxy.ts";
import type { Column, Row, ScenarioResult } from "../scenario.ts";
import { disturbance, isDisturbed } from "../slices.ts";
import type { Round, Slice } from "../slices.ts";
import { median } from "../statistics.ts";
import type { ThroughputOptions } from "./throughput.ts";

/** More than this in a slice, and kept connections are not being reused. */
const openedMax = 1000;
const megabyte = 1e6;

const columns: readonly Column[] = [
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
/** Where another base than nginx matters: each is printed only when there are values. */
const wideColumn: Column = { key: "ratioWide", title: "× nginx-16k" };
const growthColumn: Column = { key: "growth", title: "× own first" };

/** Medians over the rounds; ratios are made per round, from slices that lie seconds apart. */
export function tabulate(
  options: ThroughputOptions,
  kindCount: number,
  labels: readonly string[],
  proxies: readonly RunningProxy[],
  rounds: readonly Round[],
): ScenarioResult {
  const slices = proxies.map((_, index) => rounds.flatMap((round) => round[index] ?? []));
  const rows = proxies.map((_, index): Row => {
    const own = slices[index] ?? [];
    // Proxies come variant by variant, in the same order in each.
    const variantStart = index - (index % kindCount);
    const slicesOf = (name: ProxyName): readonly Slice[] | undefined =>
      slices[proxies.findIndex((each, at) => at >= variantStart && each.kind.name === name)];
    const values = {
      ...summarise(own),
      ratio: medianRatio(own, slicesOf("nginx")),
      ratioWide: medianRatio(own, slicesOf("nginx-16k")),
      growth: options.variants.length > 1 ? medianRatio(own, slices[index % kindCount]) : undefined,
    };
    return { label: labels[index] ?? "", values };
  });
  const extra = [wideColumn, growthColumn].filter(({ key }) =>
    rows.some(({ values }) => values[key]),
  );
  const notes = [
    ...(options.notes ?? []),
    ...targets(options, rows),
    ...reconnections(labels, slices),
    ...disturbances(rounds),
  ];
  return { columns: [...columns, ...extra], rows, notes };
}

function summarise(slices: readonly Slice[]): Row["values"] {
  const middle = (value: (slice: Slice) => number): number => median(slices.map(value));
  return {
    cpuUs: middle(cpuUs),
    userUs: middle((slice) => slice.userUs),
    systemUs: middle((slice) => slice.systemUs),
    requestsPerSecond: middle(({ load }) => load.requestCount / load.seconds),
    p50Ms: middle(({ load }) => load.p50Ms),
    p99Ms: middle(({ load }) => load.p99Ms),
    corePercent: middle((slice) => slice.coreShare * 100),
    rssMb: middle((slice) => slice.rssBytes / megabyte),
    pssMb: middle((slice) => slice.pssBytes / megabyte),
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

function reconnections(labels: readonly string[], slices: readonly Slice[][]): string[] {
  return slices.flatMap((own, index) => {
    const opened = median(own.map((slice) => slice.openedCount));
    if (opened <= openedMax) return [];
    return [`${labels[index]}: ${opened} connections were opened in a slice, so few are reused.`];
  });
}

function disturbances(rounds: readonly Round[]): string[] {
  const count = rounds.filter(isDisturbed).length;
  if (count === 0) return [];
  const percent = Math.max(...rounds.map(disturbance)) * 100;
  return [
    `Disturbed: in ${count} of ${rounds.length} rounds others took up to ${percent.toFixed(0)} % of the proxies' core.`,
  ];
}
