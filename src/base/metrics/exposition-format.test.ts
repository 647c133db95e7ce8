import assert from "node:assert/strict";
import { test } from "node:test";
import { negotiateExposition } from "./exposition-format.ts";

test("exposition format: OpenMetrics goes to those who ask for it, text to all others", () => {
  const cases: [accept: string | undefined, expected: string][] = [
    [undefined, "prometheus"],
    ["", "prometheus"],
    ["*/*", "prometheus"],
    ["text/html,application/xhtml+xml,*/*;q=0.8", "prometheus"],
    ["application/*", "prometheus"],
    ["application/openmetrics-text", "openmetrics"],
    ["application/openmetrics-text; version=1.0.0; charset=utf-8", "openmetrics"],
    ["application/openmetrics-text;version=2.0.0", "prometheus"],
    ["application/openmetrics-text;q=0", "prometheus"],
    ["application/openmetrics-text;q=0.2,text/plain;q=0.7", "prometheus"],
    ["Application/OpenMetrics-Text;Version=1.0.0;Q=0.7, text/plain;q=0.5", "openmetrics"],
    ["application/openmetrics-text;q=nonsense", "prometheus"],
    // What Prometheus 3 sends.
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
        "application/openmetrics-text;version=0.0.1;q=0.5," +
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "openmetrics",
    ],
  ];
  for (const [accept, expected] of cases) {
    assert.equal(negotiateExposition(accept), expected, accept ?? "no header");
  }
});
