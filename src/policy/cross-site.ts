import { defineFaultType, Fault } from "../base/faults.ts";
import type { Exchange } from "./exchange.ts";
import { ownOrigin } from "./own-origin.ts";

/** A browser was led here by a page of another site, or nothing shows that it was not. */
export const crossSiteRequest = defineFaultType("cross-site-request", {
  status: 403,
  title: "Cross-site request",
  whose: "client",
  retrySafe: "never",
  cause:
    "The request changes something, and a browser may have been made to send it by a page of another site.",
  remedy:
    "Send it from a page of the gateway's own origin, or list the page's origin. The member `code` says what was missing.",
});

const crossSite = fault(
  "The browser says that a page of another site made this request.",
  "cross-site",
);
const foreignOrigin = fault(
  "The request's origin is neither the gateway's own nor an allowed one.",
  "origin",
);
const noOrigin = fault(
  "The request has neither Sec-Fetch-Site nor Origin nor Referer.",
  "origin-missing",
);

/**
 * Whether a request was made by a page of the gateway's own origin, or of one of `origins`. Only a browser
 * is held to that: it writes these headers itself, and no page can change them.
 *
 * @param origins in lower case, without the scheme's own port
 * @returns null when it was, else what to answer
 */
export function crossSiteFault(exchange: Exchange, origins: ReadonlySet<string>): Fault | null {
  const site = exchange.header("sec-fetch-site");
  // `none`: the user did it, by the address bar or a bookmark.
  if (site === "same-origin" || site === "none") return null;
  const origin = exchange.header("origin");
  if (origin !== undefined) {
    if (origins.has(origin)) return null;
    if (site !== undefined) return crossSite;
    return origin !== "null" && origin === ownOrigin(exchange) ? null : foreignOrigin;
  }
  if (site !== undefined) return crossSite;
  const referer = exchange.header("referer");
  if (referer === undefined) return noOrigin;
  const from = originOf(referer);
  return from !== "" && (from === ownOrigin(exchange) || origins.has(from)) ? null : foreignOrigin;
}

/** "" for what is no address, or has none. */
function originOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null || parsed.origin === "null" ? "" : parsed.origin;
}

function fault(detail: string, code: string): Fault {
  return new Fault(crossSiteRequest, detail, code);
}
