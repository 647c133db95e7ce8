import type { Gateway } from "./gateway.ts";

/**
 * What the admin port tells of one metric: the sum of all its series that have these labels, 0 when
 * there is none. `name` as it is in the text, so of a counter with `_total`.
 */
export async function metricValue(
  gateway: Gateway,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const response = await fetch(`${gateway.adminUrl}/metrics`);
  const wanted = Object.entries(labels).map(
    ([label, value]) => `${label}=${JSON.stringify(value)}`,
  );
  let sum = 0;
  for (const line of (await response.text()).split("\n")) {
    const [, series = "", value] = /^([^ ]+(?:\{.*\})?) ([^ ]+)$/.exec(line) ?? [];
    if (series !== name && !series.startsWith(`${name}{`)) continue;
    if (wanted.every((label) => series.includes(label))) sum += Number(value);
  }
  return sum;
}
