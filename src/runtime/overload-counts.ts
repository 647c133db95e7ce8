import { overloadPressure, shedReason, shedRequestsTotal } from "../base/metrics/families.ts";
import type { MetricView } from "../base/metrics/metric-view.ts";
import type { OverloadCounts } from "../proxy/overload.ts";
import { NO_NAME } from "./data-plane-needs.ts";

/** Where a worker counts what it refuses under overload. */
export function overloadCounts(metrics: MetricView): OverloadCounts {
  return {
    pressure: metrics.gauge(overloadPressure, []),
    refusedByEventLoop: metrics.counter(shedRequestsTotal, [NO_NAME, shedReason.eventLoop]),
    refusedByMemory: metrics.counter(shedRequestsTotal, [NO_NAME, shedReason.memory]),
  };
}
