/**
 * What a scrape answers: all families as Prometheus text 0.0.4 or OpenMetrics 1.0. They differ in
 * what a counter's family is called (OpenMetrics drops `_total`), in UNIT, in the type `info`, in how
 * bounds are written and in the closing `# EOF`.
 */
import type { ExpositionFormat } from "./exposition-format.ts";
import { labelText } from "./label-text.ts";
import type { MetricFamily } from "./metric-family.ts";
import type { FamilySamples, MetricSample } from "./metric-registry.ts";

/** Families without children are left out. The text ends with a line feed and is UTF-8. */
export function renderExposition(
  families: Iterable<FamilySamples>,
  format: ExpositionFormat,
): string {
  let text = "";
  for (const { family, samples } of families) {
    if (samples.length === 0) continue;
    text += renderHead(family, format);
    for (const sample of samples) text += renderSample(family, sample, format);
  }
  return format === "openmetrics" ? `${text}# EOF\n` : text;
}

function renderHead(family: MetricFamily, format: ExpositionFormat): string {
  if (format === "prometheus") {
    const kind = family.kind === "info" ? "gauge" : family.kind;
    const help = family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    return `# HELP ${family.name} ${help}\n# TYPE ${family.name} ${kind}\n`;
  }
  const name = family.name.replace(/_(total|info)$/, "");
  const help = family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
  const unit = family.unit === "" ? "" : `# UNIT ${name} ${family.unit}\n`;
  return `# TYPE ${name} ${family.kind}\n${unit}# HELP ${name} ${help}\n`;
}

function renderSample(
  family: MetricFamily,
  sample: MetricSample,
  format: ExpositionFormat,
): string {
  const { name, kind, fixed } = family;
  if (kind === "histogram") return renderHistogram(family, sample, format);
  if (kind === "info") return line(name, sample.labels, 1);
  if (fixed === undefined) return line(name, sample.labels, sample.values[0]!);
  let text = "";
  for (let i = 0; i < fixed.values.length; i++) {
    const labels = join(sample.labels, labelText([fixed.label], [fixed.values[i]!]));
    text += line(name, labels, sample.values[i]!);
  }
  return text;
}

/** The count is that of the infinite bucket, so that both agree even while requests are counted. */
function renderHistogram(
  { name, bounds }: MetricFamily,
  { labels, values }: MetricSample,
  format: ExpositionFormat,
): string {
  let text = "";
  let count = 0;
  for (let i = 0; i <= bounds.length; i++) {
    count += values[i]!;
    const bound = i === bounds.length ? "+Inf" : formatBound(bounds[i]!, format);
    text += line(`${name}_bucket`, join(labels, `le="${bound}"`), count);
  }
  text += line(`${name}_sum`, labels, values[bounds.length + 1]!);
  return text + line(`${name}_count`, labels, count);
}

/** OpenMetrics wants bounds as floats: `1.0`. */
function formatBound(bound: number, format: ExpositionFormat): string {
  return format === "openmetrics" && Number.isInteger(bound) ? `${bound}.0` : `${bound}`;
}

function line(name: string, labels: string, value: number): string {
  return labels === ""
    ? `${name} ${formatValue(value)}\n`
    : `${name}{${labels}} ${formatValue(value)}\n`;
}

function formatValue(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : `${value}`;
}

function join(first: string, second: string): string {
  return first === "" ? second : `${first},${second}`;
}
