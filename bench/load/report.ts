import type { Row, ScenarioResult } from "./scenario.ts";

/** A table for a terminal: columns aligned, numbers to the right. */
export function formatTable(result: ScenarioResult): string {
  const lines = cells(result);
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column === 0 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The same table in Markdown. */
export function formatMarkdown(result: ScenarioResult): string {
  const [head = [], ...rows] = cells(result);
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

function cells({ columns, rows }: ScenarioResult): string[][] {
  const head = ["", ...columns.map(({ title }) => title)];
  const body = (row: Row): string[] => [
    row.label,
    ...columns.map(({ key }) => formatNumber(row.values[key])),
  ];
  return [head, ...rows.map(body)];
}

/** Three significant digits where there is something behind the point, whole numbers above. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "-";
  if (Number.isInteger(value) || Math.abs(value) >= 100) {
    return Math.round(value).toLocaleString("en-US");
  }
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
