import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExpositionFormat } from "./exposition-format.ts";
import { renderExposition } from "./exposition.ts";
import * as families from "./families.ts";
import { defineCounter, defineGauge } from "./metric-family.ts";
import { metricChild, MetricRegistry } from "./metric-registry.ts";
import { MetricView } from "./metric-view.ts";
import { addProcessMetrics } from "./process-metrics.ts";

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}
interface ParsedFamily {
  type: string;
  unit: string | undefined;
  help: string;
  samples: Sample[];
}

const SUFFIXES: Record<ExpositionFormat, Record<string, string[]>> = {
  prometheus: { counter: [""], gauge: [""], histogram: ["_bucket", "_sum", "_count"] },
  openmetrics: {
    counter: ["_total"],
    gauge: [""],
    histogram: ["_bucket", "_sum", "_count"],
    info: ["_info"],
  },
};

/** Reads either text format and refuses all that its specification does not allow. */
function parseExposition(text: string, format: ExpositionFormat): Map<string, ParsedFamily> {
  assert.ok(text.endsWith("\n"), "ends with a line feed");
  const lines = text.slice(0, -1).split("\n");
  if (format === "openmetrics") assert.equal(lines.pop(), "# EOF");
  const parsed = new Map<string, ParsedFamily>();
  const seen = new Set<string>();
  let current: ParsedFamily | undefined;
  let currentName = "";
  for (const line of lines) {
    const meta = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line);
    if (meta !== null) {
      const [, word, name, rest] = meta as unknown as [string, string, string, string];
      if (name !== currentName) {
        assert.ok(!parsed.has(name), `${name} is in one piece`);
        current = { type: "", unit: undefined, help: "", samples: [] };
        parsed.set(name, current);
        currentName = name;
      }
      assert.equal(current!.samples.length, 0, `metadata of ${name} comes first`);
      if (word === "TYPE") current!.type = rest;
      else if (word === "UNIT") current!.unit = rest;
      else current!.help = unescape(rest, format === "openmetrics" ? `\\n"` : `\\n`);
      continue;
    }
    const parts = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    assert.ok(parts, `is a sample: ${line}`);
    const name = parts[1]!;
    const allowed = SUFFIXES[format][current!.type];
    assert.ok(allowed, `known type ${current!.type}`);
    assert.ok(
      allowed.some((suffix) => name === currentName + suffix),
      `${name} in ${currentName}`,
    );
    assert.ok(!seen.has(name + parts[2]), `once: ${line}`);
    seen.add(name + parts[2]);
    const value = parseValue(parts[3]!);
    if (current!.type === "counter") assert.ok(value >= 0);
    current!.samples.push({ name, labels: parseLabels(parts[2]), value });
  }
  for (const [name, family] of parsed) checkFamily(name, family, format);
  return parsed;
}

function checkFamily(name: string, family: ParsedFamily, format: ExpositionFormat): void {
  assert.notEqual(family.type, "", `${name} has a type`);
  if (family.unit !== undefined) {
    assert.equal(format, "openmetrics");
    assert.ok(name.endsWith(`_${family.unit}`));
  }
  if (family.type !== "histogram") return;
  const series = new Map<string, Sample[]>();
  for (const sample of family.samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const samples of series.values()) {
    const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
    for (let i = 1; i < buckets.length; i++) {
      assert.ok(parseValue(buckets[i]!.labels["le"]!) > parseValue(buckets[i - 1]!.labels["le"]!));
      assert.ok(buckets[i]!.value >= buckets[i - 1]!.value, "buckets are cumulative");
    }
    if (format === "openmetrics") {
      for (const { labels } of buckets) assert.match(labels["le"]!, /^(\d+\.\d+|\+Inf)$/);
    }
    assert.equal(buckets.at(-1)!.labels["le"], "+Inf");
    const count = samples.find((sample) => sample.name === `${name}_count`)!;
    assert.equal(count.value, buckets.at(-1)!.value);
    assert.ok(samples.some((sample) => sample.name === `${name}_sum`));
  }
}

function parseLabels(text: string | undefined): Record<string, string> {
  const labels: Record<string, string> = {};
  if (text === undefined) return labels;
  const label = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;
  while (label.lastIndex < text.length) {
    const at = label.lastIndex;
    const parts = label.exec(text);
    assert.ok(parts, `labels at ${at} of ${text}`);
    const [, name = "", value = ""] = parts;
    assert.ok(!(name in labels), `label ${name} once`);
    labels[name] = unescape(value, `\\n"`);
  }
  return labels;
}

function unescape(text: string, allowed: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => {
    assert.ok(allowed.includes(character), `escape \\${character}`);
    return character === "n" ? "\n" : character;
  });
}

function parseValue(text: string): number {
  if (text === "+Inf") return Infinity;
  if (text === "NaN") return Number.NaN;
  assert.match(text, /^-?\d+(\.\d+)?(e[+-]\d+)?$/);
  return Number(text);
}

function sampleOf(parsed: Map<string, ParsedFamily>, family: string, labels: object): number {
  const entries = Object.entries(labels);
  const found = parsed.get(family)!.samples.filter((sample) => {
    return entries.every(([name, value]) => sample.labels[name] === value);
  });
  assert.equal(found.length, 1, `one ${family} ${JSON.stringify(labels)}`);
  return found[0]!.value;
}

const children = [
  metricChild(families.requestsTotal, ["users", "users"]),
  metricChild(families.requestDurationSeconds, ["users"]),
  metricChild(families.clientConnections, ["127.0.0.1:8080"]),
  metricChild(families.bytesTotal, ["users"]),
  metricChild(families.upstreamRequestsTotal, ["users", "http://127.0.0.1:3001"]),
  metricChild(families.upstreamConnections, ["users", "http://127.0.0.1:3001"]),
];

function busyRegistry(): MetricRegistry {
  const registry = new MetricRegistry({ families: families.gatewardFamilies, workers: 1 });
  addProcessMetrics(registry);
  registry.inform(families.buildInfo, ["1.0.0", "v26.10.0"]);
  const view = new MetricView(registry.handle, 0, registry.lease(children).index);
  view.counter(families.requestsTotal, ["users", "users"]).addAt(families.statusClass(204), 3);
  view.counter(families.requestsTotal, ["users", "users"]).addAt(families.statusClass(503), 1);
  const duration = view.histogram(families.requestDurationSeconds, ["users"]);
  for (const seconds of [0.0004, 0.001, 0.3, 60]) duration.observe(seconds);
  return registry;
}

test("exposition: Prometheus 0.0.4 is strictly valid and holds what was counted", () => {
  const parsed = parseExposition(
    renderExposition(busyRegistry().collect(), "prometheus"),
    "prometheus",
  );
  const requests = "gateward_requests_total";
  const labels = { route: "users", service: "users" };
  assert.equal(parsed.get(requests)!.type, "counter");
  assert.equal(sampleOf(parsed, requests, { ...labels, status_class: "2xx" }), 3);
  assert.equal(sampleOf(parsed, requests, { ...labels, status_class: "5xx" }), 1);
  assert.equal(sampleOf(parsed, requests, { ...labels, status_class: "4xx" }), 0);
  const duration = "gateward_request_duration_seconds";
  assert.equal(sampleOf(parsed, duration, { le: "0.001" }), 2);
  assert.equal(sampleOf(parsed, duration, { le: "5" }), 3);
  assert.equal(sampleOf(parsed, duration, { le: "+Inf" }), 4);
  assert.equal(parsed.get("gateward_build_info")!.type, "gauge");
  assert.equal(sampleOf(parsed, "gateward_build_info", { version: "1.0.0" }), 1);
  assert.ok(sampleOf(parsed, "process_cpu_seconds_total", {}) > 0);
  assert.ok(sampleOf(parsed, "process_resident_memory_bytes", {}) > 1e6);
  const start = sampleOf(parsed, "process_start_time_seconds", {});
  assert.ok(Math.abs(start - (Date.now() / 1000 - process.uptime())) < 2);
  if (process.platform === "linux") assert.ok(sampleOf(parsed, "process_open_fds", {}) > 2);
});

test("exposition: OpenMetrics 1.0 is strictly valid and holds the same", () => {
  const parsed = parseExposition(
    renderExposition(busyRegistry().collect(), "openmetrics"),
    "openmetrics",
  );
  assert.equal(sampleOf(parsed, "gateward_requests", { status_class: "2xx" }), 3);
  assert.equal(sampleOf(parsed, "gateward_request_duration_seconds", { le: "5.0" }), 3);
  assert.equal(parsed.get("gateward_request_duration_seconds")!.unit, "seconds");
  assert.equal(parsed.get("gateward_bytes")!.unit, "bytes");
  assert.equal(parsed.get("process_cpu_seconds")!.unit, "seconds");
  assert.equal(parsed.get("gateward_build")!.type, "info");
});

test("exposition: both formats show every family but those that have no children", () => {
  const registry = busyRegistry();
  const parsed = parseExposition(renderExposition(registry.collect(), "prometheus"), "prometheus");
  const without = families.gatewardFamilies.filter(({ name }) => !parsed.has(name));
  assert.deepEqual(without, [
    families.splitRequestsTotal,
    families.fallbacksTotal,
    families.faultsTotal,
    families.retriesTotal,
    families.retriesForgoneTotal,
    families.hedgesTotal,
    families.grpcResponsesTotal,
    families.serviceConcurrencyLimit,
    families.shedRequestsTotal,
    families.breakerState,
    families.breakerTransitionsTotal,
    families.breakerRefusalsTotal,
    families.inFlightRefusalsTotal,
    families.policyResultsTotal,
    families.targetHealthy,
    families.healthChecksTotal,
    families.targetEjected,
    families.targetEjectionsTotal,
  ]);
});

test("exposition: hostile label values and help texts are escaped and come back whole", () => {
  const odd = defineCounter({ name: "odd_total", help: 'a "b" \\ c\nd', labels: ["route"] });
  const registry = new MetricRegistry({ families: [odd], workers: 1 });
  const values = ['a"b', "a\\", "a\nb", "a\\n", "käse 🧀", "", "},{x=", "\0", "\ud800"];
  registry.lease(values.map((value) => metricChild(odd, [value])));
  for (const format of ["prometheus", "openmetrics"] as const) {
    const parsed = parseExposition(renderExposition(registry.collect(), format), format);
    const family = parsed.get(format === "prometheus" ? "odd_total" : "odd")!;
    assert.equal(family.help, 'a "b" \\ c\nd');
    const got = family.samples.map(({ labels }) => labels["route"]);
    assert.deepEqual(got, [...values.slice(0, -1), "\ufffd"]);
  }
});

test("exposition: numbers that are not plain are written as the formats say", () => {
  const value = defineGauge({ name: "value", help: "", labels: ["of"] });
  const registry = new MetricRegistry({ families: [value], workers: 1 });
  const numbers: Record<string, [number, string]> = {
    a: [Infinity, "+Inf"],
    b: [-Infinity, "-Inf"],
    c: [Number.NaN, "NaN"],
    d: [1e21, "1e+21"],
    e: [-2.5, "-2.5"],
  };
  const names = Object.keys(numbers);
  const { index } = registry.lease(names.map((name) => metricChild(value, [name])));
  const view = new MetricView(registry.handle, 0, index);
  for (const name of names) view.gauge(value, [name]).set(numbers[name]![0]);
  const text = renderExposition(registry.collect(), "prometheus");
  for (const name of names) assert.ok(text.includes(`value{of="${name}"} ${numbers[name]![1]}\n`));
});

test("families: positions of fixed labels name the values they stand for", () => {
  const { requestsTotal, statusClass, upstreamRequestsTotal, upstreamResult } = families;
  const classOf = (status: number) => requestsTotal.fixed!.values[statusClass(status)];
  assert.deepEqual([101, 200, 304, 404, 599].map(classOf), ["1xx", "2xx", "3xx", "4xx", "5xx"]);
  assert.deepEqual([0, 999].map(classOf), ["1xx", "5xx"]);
  assert.equal(upstreamRequestsTotal.fixed!.values[upstreamResult.serverError], "server_error");
  assert.equal(upstreamRequestsTotal.fixed!.values[upstreamResult.cancelled], "cancelled");
  assert.equal(Object.keys(upstreamResult).length, upstreamRequestsTotal.fixed!.values.length);
});
