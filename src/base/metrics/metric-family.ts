/**
 * What a metric is called, what it counts and which labels it has: plain constants, checked when
 * they are defined, known to every thread alike.
 *
 * A family has children, one for each combination of label values. The values of its `labels` are
 * given when a snapshot is compiled. A `fixed` label has all its values known beforehand, and a child
 * holds one count for each of them, so that the hot path picks one by number:
 * `requests.addAt(statusClass(404), 1)`.
 */

export type MetricKind = "counter" | "gauge" | "histogram" | "info";

export interface FixedLabel {
  readonly label: string;
  readonly values: readonly string[];
}

export interface MetricFamily<
  Kind extends MetricKind = MetricKind,
  Labels extends readonly string[] = readonly string[],
> {
  readonly kind: Kind;
  /** As in the Prometheus text format: counters end with `_total`. */
  readonly name: string;
  readonly help: string;
  /** Base unit and suffix of the name, `seconds` or `bytes`; empty without one. */
  readonly unit: string;
  readonly labels: Labels;
  readonly fixed: FixedLabel | undefined;
  /** Histograms: upper bounds of the buckets, inclusive and ascending, without the infinite one. */
  readonly bounds: readonly number[];
  /** How the threads' values become one. */
  readonly aggregate: "sum" | "max";
  /** Numbers that one child takes in each thread's row. */
  readonly cellsPerChild: number;
}

/** The values of a family's labels, in the order of its `labels`. */
export type LabelValues<Labels extends readonly string[]> = {
  readonly [Index in keyof Labels]: string;
};

interface FamilySettings<Labels extends readonly string[]> {
  name: string;
  help: string;
  unit?: "seconds" | "bytes";
  labels?: Labels;
}

interface CountFamilySettings<Labels extends readonly string[]> extends FamilySettings<Labels> {
  fixed?: FixedLabel;
}

/** A count that only rises, while its child lives. */
export function defineCounter<const Labels extends readonly string[] = readonly []>(
  settings: CountFamilySettings<Labels>,
): MetricFamily<"counter", Labels> {
  if (!settings.name.endsWith("_total"))
    throw new Error(`${settings.name}: counters end in _total`);
  return define("counter", settings, settings.fixed, [], "sum");
}

/** A value that rises and falls. `max` shows the largest of all threads instead of their sum. */
export function defineGauge<const Labels extends readonly string[] = readonly []>(
  settings: CountFamilySettings<Labels> & { aggregate?: "sum" | "max" },
): MetricFamily<"gauge", Labels> {
  return define("gauge", settings, settings.fixed, [], settings.aggregate ?? "sum");
}

/** How observed values are spread: a count for each bucket, and their sum. */
export function defineHistogram<const Labels extends readonly string[] = readonly []>(
  settings: FamilySettings<Labels> & { bounds: readonly number[] },
): MetricFamily<"histogram", Labels> {
  return define("histogram", settings, undefined, settings.bounds, "sum");
}

/** Facts told in labels; the value is always 1. */
export function defineInfo<const Labels extends readonly string[] = readonly []>(
  settings: FamilySettings<Labels>,
): MetricFamily<"info", Labels> {
  if (!settings.name.endsWith("_info")) throw new Error(`${settings.name}: infos end in _info`);
  return define("info", settings, undefined, [], "sum");
}

/** Where a child's offset stands in the index that goes to workers. */
export function childKey(family: MetricFamily, labels: readonly string[]): string {
  const parts = [family.name];
  // NUL parts the values, so it must not be part of one.
  for (const value of labels) parts.push(value.replaceAll("\0", "\ufffd"));
  // Joined, not added up: V8 keeps every sum, and there are tens of thousands of keys.
  return parts.join("\0");
}

function define<Kind extends MetricKind, Labels extends readonly string[]>(
  kind: Kind,
  settings: FamilySettings<Labels>,
  fixed: FixedLabel | undefined,
  bounds: readonly number[],
  aggregate: "sum" | "max",
): MetricFamily<Kind, Labels> {
  const { name, help, unit = "" } = settings;
  const labels = settings.labels ?? ([] as unknown as Labels);
  checkNames(name, unit, fixed === undefined ? labels : [...labels, fixed.label]);
  if (fixed?.values.length === 0) throw new Error(`${name}: a fixed label needs values`);
  for (let i = 0; i < bounds.length; i++) {
    const least = i === 0 ? -Infinity : bounds[i - 1]!;
    if (!(bounds[i]! > least && bounds[i]! < Infinity))
      throw new Error(`${name}: bounds must rise`);
  }
  // A histogram's cells: each bucket, the infinite one, the sum.
  const cellsPerChild = kind === "histogram" ? bounds.length + 2 : (fixed?.values.length ?? 1);
  return { kind, name, help, unit, labels, fixed, bounds, aggregate, cellsPerChild };
}

function checkNames(name: string, unit: string, labels: readonly string[]): void {
  if (!/^[a-z_:][a-z0-9_:]*$/.test(name)) throw new Error(`${name} is no metric name`);
  if (unit !== "" && !name.replace(/_total$/, "").endsWith(`_${unit}`)) {
    throw new Error(`${name}: the unit ${unit} must end the name`);
  }
  for (const label of labels) {
    if (!/^[a-z][a-z0-9_]*$/.test(label) || label === "le" || label === "quantile") {
      throw new Error(`${name}: ${label} is no label name`);
    }
  }
  if (new Set(labels).size !== labels.length) throw new Error(`${name}: a label twice`);
}
