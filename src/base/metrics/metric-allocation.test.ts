import assert from "node:assert/strict";
import { test } from "node:test";
import { allocatedBytes } from "../../../test/support/allocated-bytes.ts";
import { inFlightRequests, requestDurationSeconds, requestsTotal } from "./families.ts";
import { metricChild, MetricRegistry } from "./metric-registry.ts";
import { MetricView } from "./metric-view.ts";

test("metrics: counting and observing allocate nothing", () => {
  const families = [requestsTotal, requestDurationSeconds, inFlightRequests];
  const registry = new MetricRegistry({ families, workers: 1 });
  const children = [
    metricChild(requestsTotal, ["a", "b"]),
    metricChild(requestDurationSeconds, ["a"]),
  ];
  const view = new MetricView(registry.handle, 0, registry.lease(children).index);
  const counter = view.counter(requestsTotal, ["a", "b"]);
  const histogram = view.histogram(requestDurationSeconds, ["a"]);
  const gauge = view.gauge(inFlightRequests, []);
  const bytes = allocatedBytes((turn) => {
    gauge.add(1);
    counter.addAt(turn & 3, 1);
    histogram.observe(turn / 1e5);
    gauge.add(-1);
  });
  // A boxed number, the smallest thing there is, would be 16.
  assert.ok(bytes < 4, `${bytes} bytes`);
});
