import { expositionContentType, negotiateExposition } from "../base/metrics/exposition-format.ts";
import { renderExposition } from "../base/metrics/exposition.ts";
import type { AdminResource } from "./admin-resource.ts";

/** All metrics, in the text format of Prometheus or of OpenMetrics, whichever the scraper prefers. */
export const metricsResource: AdminResource = {
  path: "/metrics",
  about: "metrics for Prometheus",
  read(gateway, headers) {
    const format = negotiateExposition(headers.accept);
    const body = renderExposition(gateway.metrics.collect(), format);
    return { status: 200, contentType: expositionContentType[format], body };
  },
};
