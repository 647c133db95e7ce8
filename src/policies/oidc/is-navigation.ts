import type { Exchange } from "../../policy/exchange.ts";

/**
 * Whether a browser asks for a page to show, rather than a script for data: only then does a redirect to a
 * login help anybody. Browsers say so in Sec-Fetch-Mode; of those that do not, the ones that want HTML.
 */
export function isNavigation(exchange: Exchange): boolean {
  if (exchange.method !== "GET" || exchange.request.upgradeIndex >= 0) return false;
  // A page that is fetched before anybody asks for it would begin sign-ins that nobody sees.
  if (exchange.header("sec-purpose") !== undefined) return false;
  const mode = exchange.header("sec-fetch-mode");
  if (mode !== undefined) return mode === "navigate";
  return exchange.header("accept")?.includes("text/html") ?? false;
}
