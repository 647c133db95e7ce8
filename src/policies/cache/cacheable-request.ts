import type { Exchange } from "../../policy/exchange.ts";
import { hasSentAuthorization } from "../../policy/sent-authorization.ts";
import type { Conditions } from "./stored-answer.ts";

/**
 * Headers by which frameworks take a request for another than it is. An answer to one that has any is for nobody
 * else: it would poison the cache.
 */
const MISLEADING = [
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
  "x-original-host",
  "x-host",
  "x-forwarded-server",
  "x-forwarded-scheme",
  "x-forwarded-ssl",
  "x-forwarded-prefix",
  "x-forwarded-path",
  "x-forwarded-uri",
];

/** Requests that are none of the cache's business. */
export function isBypassed({ request }: Exchange): boolean {
  const { fields } = request;
  return (
    request.hasBody ||
    request.upgradeIndex >= 0 ||
    fields.has("if-match") ||
    fields.has("if-unmodified-since")
  );
}

export function isMisleading({ request, authority, peerIsTrusted }: Exchange): boolean {
  const { fields } = request;
  for (const name of MISLEADING) {
    if (fields.has(name)) return true;
  }
  if (hasUnderscored(fields)) return true;
  // A proxy that is trusted may pass on what its own client has said.
  const host = peerIsTrusted ? fields.get("x-forwarded-host") : undefined;
  return host !== undefined && host.toLowerCase() !== authority.toLowerCase();
}

/** As CGI has it, and all that came after: to many services `X_Original_URL` is `X-Original-URL`. */
function hasUnderscored(fields: Exchange["request"]["fields"]): boolean {
  let isFound = false;
  fields.each((name) => {
    if (!name.includes("_")) return;
    const meant = name.replaceAll("_", "-").toLowerCase();
    isFound ||= MISLEADING.includes(meant) || /^(x-)?forwarded(-|$)/.test(meant);
  });
  return isFound;
}

/** What it is sent may be meant for this caller alone (RFC 9111 section 3.5). */
export function isOfCaller(exchange: Exchange): boolean {
  return exchange.identity !== null || hasSentAuthorization(exchange);
}

export function conditionsOf({ request: { fields } }: Exchange): Conditions | null {
  const ifNoneMatch = fields.get("if-none-match");
  const ifModifiedSince = fields.get("if-modified-since");
  const range = fields.get("range");
  if (ifNoneMatch === undefined && ifModifiedSince === undefined && range === undefined) {
    return null;
  }
  const ifRange = range === undefined ? undefined : fields.get("if-range");
  return { ifNoneMatch, ifModifiedSince, range, ifRange };
}
