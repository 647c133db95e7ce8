/**
 * Which text a scraper gets: OpenMetrics 1.0 when its Accept header (RFC 9110, 12.5.1) names that at
 * least as gladly as plain text, else Prometheus 0.0.4. Wildcards mean plain text, which every
 * scraper and every browser can show.
 */
export type ExpositionFormat = "prometheus" | "openmetrics";

export const expositionContentType: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

export function negotiateExposition(accept: string | undefined): ExpositionFormat {
  let openmetrics = 0;
  let plain = 0;
  for (const range of (accept ?? "").toLowerCase().split(",")) {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    const weight = weightOf(parameters);
    if (type === "application/openmetrics-text" && isKnownVersion(parameters)) {
      openmetrics = Math.max(openmetrics, weight);
    }
    if (type === "text/plain") plain = Math.max(plain, weight);
  }
  return openmetrics > 0 && openmetrics >= plain ? "openmetrics" : "prometheus";
}

function weightOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  if (text === undefined) return 1;
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(text) ? Number(text) : 0;
}

function isKnownVersion(parameters: readonly string[]): boolean {
  const version = parameters.find((parameter) => parameter.startsWith("version="))?.slice(8);
  return version === undefined || version === "1.0.0" || version === "0.0.1";
}
