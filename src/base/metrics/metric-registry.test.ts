import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { defineCounter, defineGauge, defineHistogram, defineInfo } from "./metric-family.ts";
import type { MetricFamily } from "./metric-family.ts";
import { metricChild, MetricRegistry } from "./metric-registry.ts";
import { MetricView } from "./metric-view.ts";

const hits = defineCounter({
  name: "hits_total",
  help: "Hits.",
  labels: ["route"],
  fixed: { label: "class", values: ["good", "bad"] },
});
const open = defineGauge({ name: "open", help: "Open." });
const lag = defineGauge({ name: "lag_seconds", help: "Lag.", unit: "seconds", aggregate: "max" });
const took = defineHistogram({
  name: "took_seconds",
  help: "Took.",
  unit: "seconds",
  labels: ["route"],
  bounds: [0.1, 1],
});
const build = defineInfo({ name: "build_info", help: "Build.", labels: ["version"] });
const families = [hits, open, lag, took, build];

/** Values of a family's children by their label text. */
function read(registry: MetricRegistry, family: MetricFamily): Record<string, number[]> {
  for (const collected of registry.collect()) {
    if (collected.family !== family) continue;
    return Object.fromEntries(collected.samples.map(({ labels, values }) => [labels, [...values]]));
  }
  return assert.fail(`no ${family.name}`);
}

test("metrics: what threads count in their rows is added up", () => {
  const registry = new MetricRegistry({ families, workers: 2 });
  const lease = registry.lease([metricChild(hits, ["a"]), metricChild(took, ["a"])]);
  const index = structuredClone(lease.index);
  for (const row of [0, 1]) {
    const view = new MetricView(registry.handle, row, index);
    view.counter(hits, ["a"]).add(1);
    view.counter(hits, ["a"]).addAt(1, 10);
    view.gauge(open, []).add(3);
    const histogram = view.histogram(took, ["a"]);
    for (const seconds of [0.05, 0.1, 0.5, 2]) histogram.observe(seconds);
  }
  assert.deepEqual(read(registry, hits), { 'route="a"': [2, 20] });
  assert.deepEqual(read(registry, open), { "": [6] });
  assert.deepEqual(read(registry, took)['route="a"']!.slice(0, 3), [4, 2, 2]);
  assert.ok(Math.abs(read(registry, took)['route="a"']![3]! - 5.3) < 1e-9);
});

test("metrics: a gauge that shows the maximum takes it over all threads, main included", () => {
  const registry = new MetricRegistry({ families, workers: 2 });
  const { index } = registry.lease([]);
  new MetricView(registry.handle, 0, index).gauge(lag, []).set(0.25);
  new MetricView(registry.handle, 1, index).gauge(lag, []).set(0.5);
  assert.deepEqual(read(registry, lag), { "": [0.5] });
  registry.own.gauge(lag, []).set(2);
  assert.deepEqual(read(registry, lag), { "": [2] });
});

test("metrics: real threads count at once and nothing is lost", async () => {
  const registry = new MetricRegistry({ families, workers: 2 });
  const { index } = registry.lease([metricChild(hits, ["a"]), metricChild(took, ["a"])]);
  const script = `
    const { workerData: { view, family, row, handle, index } } = require("node:worker_threads");
    Promise.all([import(view), import(family)]).then(([{ MetricView }, { defineCounter }]) => {
      const hits = defineCounter({ name: "hits_total", help: "", labels: ["route"] });
      const counter = new MetricView(handle, row, index).counter(hits, ["a"]);
      for (let i = 0; i < 1e6; i++) counter.add(1);
    });
  `;
  const view = new URL("./metric-view.ts", import.meta.url).href;
  const family = new URL("./metric-family.ts", import.meta.url).href;
  const workers = [0, 1].map((row) => {
    const workerData = { view, family, row, index, handle: registry.handle };
    return new Worker(script, { eval: true, workerData });
  });
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  assert.deepEqual(read(registry, hits), { 'route="a"': [2e6, 0] });
});

test("metrics: a child keeps its count across reloads and is gone when nothing names it", () => {
  const registry = new MetricRegistry({ families, workers: 1 });
  const first = registry.lease([metricChild(hits, ["a"]), metricChild(hits, ["b"])]);
  new MetricView(registry.handle, 0, first.index).counter(hits, ["a"]).add(5);
  const second = registry.lease([metricChild(hits, ["a"]), metricChild(hits, ["a"])]);
  first.release();
  first.release();
  new MetricView(registry.handle, 0, second.index).counter(hits, ["a"]).add(1);
  assert.deepEqual(read(registry, hits), { 'route="a"': [6, 0] });
  second.release();
  assert.deepEqual(read(registry, hits), {});
  const third = registry.lease([metricChild(hits, ["a"])]);
  assert.deepEqual(read(registry, hits), { 'route="a"': [0, 0] });
  assert.equal(registry.childCount(hits), 1);
  third.release();
});

test("metrics: children leased as a list are known by their place, and are the same as by name", () => {
  const registry = new MetricRegistry({ families, workers: 1 });
  const named = registry.lease([metricChild(hits, ["b"])]);
  const list = registry.leaseList(
    ["a", "b"].flatMap((name) => [metricChild(hits, [name]), metricChild(took, [name])]),
  );
  const view = new MetricView(registry.handle, 0, named.index);
  view.counter(hits, ["b"]).add(1);
  view.counterAt(list.cells[2]!).add(10);
  view.histogramAt(took, list.cells[1]!).observe(0.5);
  assert.deepEqual(read(registry, hits), { 'route="b"': [11, 0], 'route="a"': [0, 0] });
  assert.deepEqual(read(registry, took)['route="a"'], [0, 1, 0, 0.5]);
  named.release();
  assert.equal(registry.childCount(hits), 2);
  list.release();
  assert.equal(registry.childCount(hits) + registry.childCount(took), 0);
});

test("metrics: cells are reused, so a thousand reloads fit where one does", () => {
  const refused: string[] = [];
  const registry = new MetricRegistry({
    families,
    workers: 1,
    cellsPerRow: 256,
    onOverflow: (family) => refused.push(family.name),
  });
  let held = registry.lease([]);
  for (let reload = 0; reload < 1000; reload++) {
    const children = Array.from({ length: 10 }, (_, i) => [
      metricChild(hits, [`route-${reload * 3 + i}`]),
      metricChild(took, [`route-${reload * 3 + i}`]),
    ]);
    const next = registry.lease(children.flat());
    held.release();
    held = next;
  }
  assert.deepEqual(refused, []);
  assert.equal(registry.childCount(hits), 10);
});

test("metrics: children beyond the limit count together as other, and the owner is told once", () => {
  const told: string[] = [];
  const registry = new MetricRegistry({
    families,
    workers: 1,
    childrenMax: 2,
    onOverflow: (family) => told.push(family.name),
  });
  const names = ["a", "b", "c", "d"];
  const lease = registry.lease(names.map((name) => metricChild(hits, [name])));
  const view = new MetricView(registry.handle, 0, lease.index);
  for (const name of names) view.counter(hits, [name]).add(1);
  assert.deepEqual(read(registry, hits), {
    'route="a"': [1, 0],
    'route="b"': [1, 0],
    'route="other"': [2, 0],
  });
  assert.deepEqual(told, ["hits_total"]);
  const smaller = registry.lease([metricChild(hits, ["a"])]);
  lease.release();
  const again = registry.lease([metricChild(hits, ["c"])]);
  new MetricView(registry.handle, 0, again.index).counter(hits, ["c"]).add(7);
  assert.deepEqual(read(registry, hits)['route="c"'], [7, 0]);
  smaller.release();
});

test("metrics: running out of cells is answered as running out of children", () => {
  const told: string[] = [];
  const registry = new MetricRegistry({
    families: [took],
    workers: 1,
    cellsPerRow: 12,
    onOverflow: (family) => told.push(family.name),
  });
  const lease = registry.lease(["a", "b", "c"].map((name) => metricChild(took, [name])));
  const view = new MetricView(registry.handle, 0, lease.index);
  for (const name of ["a", "b", "c"]) view.histogram(took, [name]).observe(5);
  assert.deepEqual(Object.keys(read(registry, took)), ['route="a"', 'route="b"', 'route="other"']);
  assert.deepEqual(read(registry, took)['route="other"'], [0, 0, 1, 5]);
  assert.deepEqual(told, ["took_seconds"]);
});

test("metrics: a route that is called other is counted, not hidden", () => {
  const registry = new MetricRegistry({ families, workers: 1 });
  const lease = registry.lease([metricChild(hits, ["other"])]);
  new MetricView(registry.handle, 0, lease.index).counter(hits, ["other"]).add(1);
  assert.deepEqual(read(registry, hits), { 'route="other"': [1, 0] });
});

test("metrics: a dead worker's gauges are cleared, its counters go on", () => {
  const registry = new MetricRegistry({ families, workers: 2 });
  const lease = registry.lease([metricChild(hits, ["a"])]);
  for (const row of [0, 1]) {
    const view = new MetricView(registry.handle, row, lease.index);
    view.gauge(open, []).add(4);
    view.counter(hits, ["a"]).add(2);
  }
  registry.clearRow(1);
  assert.deepEqual(read(registry, open), { "": [4] });
  assert.deepEqual(read(registry, hits), { 'route="a"': [4, 0] });
});

test("metrics: a view refuses children nobody leased, one without registry takes all", () => {
  const registry = new MetricRegistry({ families, workers: 1 });
  const view = new MetricView(registry.handle, 0, registry.lease([]).index);
  assert.throws(() => view.counter(hits, ["a"]), /no child hits_total\{a\}/);
  assert.throws(() => new MetricView(registry.handle, 2, {}), RangeError);
  const discarding = MetricView.discarding();
  discarding.counter(hits, ["a"]).addAt(1, 1);
  discarding.histogram(took, ["b"]).observe(100);
});

test("metrics: computed values and facts need no cells of a thread", () => {
  const registry = new MetricRegistry({ families, workers: 1 });
  let value = 7;
  registry.compute(open, () => value);
  registry.inform(build, ["1.2.3"]);
  assert.deepEqual(read(registry, open), { "": [7] });
  value = 8;
  assert.deepEqual(read(registry, open), { "": [8] });
  assert.deepEqual(Object.keys(read(registry, build)), ['version="1.2.3"']);
});

test("metrics: names are checked when a family is defined", () => {
  const help = "";
  assert.throws(() => defineCounter({ name: "hits", help }), /_total/);
  assert.throws(() => defineGauge({ name: "a-b", help }), /no metric name/);
  assert.throws(() => defineGauge({ name: "lag", help, unit: "seconds" }), /unit/);
  assert.throws(() => defineGauge({ name: "a", help, labels: ["le"] }), /no label name/);
  assert.throws(() => defineGauge({ name: "a", help, labels: ["b", "b"] }), /twice/);
  assert.throws(() => defineHistogram({ name: "a", help, bounds: [2, 1] }), /rise/);
  const registry = new MetricRegistry({ families, workers: 1 });
  assert.throws(() => registry.add(defineGauge({ name: "open", help })), /two families/);
});
