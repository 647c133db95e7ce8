import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMarkdown, formatNumber, formatTable } from "./report.ts";
import type { ScenarioResult } from "./scenario.ts";

const result: ScenarioResult = {
  columns: [
    { key: "cpuUs", title: "CPU µs" },
    { key: "lost", title: "lost" },
  ],
  rows: [
    { label: "nginx", values: { cpuUs: 9.704, lost: 0 } },
    { label: "gateward", values: { cpuUs: 12_345.6 } },
  ],
  notes: [],
};

test("report: a table for a terminal is aligned", () => {
  assert.equal(
    formatTable(result),
    "          CPU µs  lost\nnginx       9.70     0\ngateward  12,346     -",
  );
});

test("report: a table for the README is Markdown", () => {
  assert.equal(
    formatMarkdown(result),
    "|  | CPU µs | lost |\n| --- | ---: | ---: |\n| nginx | 9.70 | 0 |\n| gateward | 12,346 | - |",
  );
});

test("report: numbers have three significant digits and whole ones none behind the point", () => {
  assert.deepEqual([0, 1, 9.704, 12.345, 99.99, 1234.5, undefined].map(formatNumber), [
    "0",
    "1",
    "9.70",
    "12.3",
    "100.0",
    "1,235",
    "-",
  ]);
});
