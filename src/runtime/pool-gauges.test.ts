import assert from "node:assert/strict";
import { test } from "node:test";
import { upstreamConnections } from "../base/metrics/families.ts";
import { metricChild, MetricRegistry } from "../base/metrics/metric-registry.ts";
import { MetricView } from "../base/metrics/metric-view.ts";
import { PoolGauges, type SampledTargets } from "./pool-gauges.ts";

const ONE = "http://one";
const OTHER = "http://other";
const busy = { openCount: 5, idleCount: 2 };
const idle = { openCount: 3, idleCount: 3 };

function targetsOf(...pools: [url: string, pool: typeof busy | null][]): SampledTargets {
  return { all: pools.map(([url, pool]) => ({ url, pool })) };
}

interface Bench {
  gauges: PoolGauges;
  metrics: MetricView;
  /** Active and idle connections by URL, as a scrape sees them. */
  shown(): Record<string, readonly number[]>;
}

function makeBench(): Bench {
  const registry = new MetricRegistry({ families: [upstreamConnections], workers: 1 });
  const { index } = registry.lease(
    [ONE, OTHER].map((url) => metricChild(upstreamConnections, ["users", url])),
  );
  const shown: Bench["shown"] = () => {
    const samples = [...registry.collect()].flatMap((family) => family.samples);
    return Object.fromEntries(
      samples.map(({ labels, values }) => [/target="(.*)"/.exec(labels)?.[1] ?? "", values]),
    );
  };
  return {
    gauges: new PoolGauges(),
    metrics: new MetricView(registry.handle, 0, index),
    shown,
  };
}

test("pool gauges: addresses of one URL are added up", () => {
  const { gauges, metrics, shown } = makeBench();
  gauges.watch("users", [ONE, OTHER], targetsOf([ONE, busy], [ONE, { ...idle }]), metrics);
  gauges.sample();
  assert.deepEqual(shown(), { [ONE]: [3, 5], [OTHER]: [0, 0] });
});

test("pool gauges: two revisions that share a pool count it once", () => {
  const { gauges, metrics, shown } = makeBench();
  gauges.watch("users", [ONE], targetsOf([ONE, busy]), metrics);
  gauges.watch("users", [ONE, OTHER], targetsOf([ONE, busy], [OTHER, idle]), metrics);
  gauges.sample();
  assert.deepEqual(shown(), { [ONE]: [3, 2], [OTHER]: [0, 3] });
});

test("pool gauges: what only a forgotten revision named is shown as none", () => {
  const { gauges, metrics, shown } = makeBench();
  const former = targetsOf([ONE, busy]);
  gauges.watch("users", [ONE], former, metrics);
  gauges.watch("users", [OTHER], targetsOf([OTHER, idle]), metrics);
  gauges.sample();
  assert.deepEqual(shown(), { [ONE]: [3, 2], [OTHER]: [0, 3] });
  gauges.forget("users", former);
  gauges.forget("users", former);
  gauges.sample();
  assert.deepEqual(shown(), { [ONE]: [0, 0], [OTHER]: [0, 3] });
});

test("pool gauges: a name that has no addresses any more has no connections", () => {
  const { gauges, metrics, shown } = makeBench();
  const pools: { url: string; pool: typeof busy }[] = [{ url: ONE, pool: busy }];
  gauges.watch("users", [ONE], { all: pools }, metrics);
  gauges.sample();
  pools.length = 0;
  gauges.sample();
  assert.deepEqual(shown()[ONE], [0, 0]);
});
