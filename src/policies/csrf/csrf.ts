/**
 * csrf: refuses requests that a browser was made to send by a page of another site.
 */
import { crossSiteFault, crossSiteRequest } from "../../policy/cross-site.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { definePolicy } from "../../policy/policy.ts";
import { hasSentCookies } from "../../policy/sent-cookies.ts";
import { cookieName } from "../../policy/values/cookie.ts";
import { headerName } from "../../policy/values/header.ts";
import { flag } from "../../policy/values/number.ts";
import { origin } from "../../policy/values/origin.ts";
import { section } from "../../policy/values/section.ts";
import { secrets } from "../../policy/values/secret.ts";
import { listOf } from "../../policy/values/text.ts";
import { TokenCheck } from "./token-check.ts";

const token = section({
  secret: secrets().describe(
    "At least 32 characters that sign tokens. Of several the first signs, and each is still accepted.",
  ),
  session: cookieName()
    .optional()
    .describe(
      "Cookie of the service's own session, for which a token holds. Default: for whom an earlier policy has signed in.",
    ),
  header: headerName()
    .prefault("x-csrf-token")
    .describe("Header in which pages send the token back."),
  cookie: cookieName()
    .prefault("csrf-token")
    .describe("Cookie in which pages find the token; their scripts can read it."),
});

/** Frameworks take the method from these, if they are told to. */
const OVERRIDES = ["x-http-method-override", "x-http-method", "x-method-override"];

export default definePolicy({
  name: "csrf",
  summary: "Refuses changes that a browser was made to send by a page of another site.",
  schema: section({
    origins: listOf(origin(), "an origin")
      .prefault([])
      .describe("Origins whose pages may send requests here, beside the gateway's own."),
    cookiesOnly: flag()
      .prefault(false)
      .describe(
        "Check only requests that bring a cookie: programs with keys of their own send none, nor `Origin`.",
      ),
    token: token
      .optional()
      .describe(
        "Demand a signed token as well, that pages find in a cookie and send back in a header.",
      ),
  }).prefault({}),
  results: ["allowed", "refused"],
  faults: [crossSiteRequest],
  needs: (options) =>
    options.token !== undefined && options.token.session === undefined ? ["identity"] : [],

  compile(options, environment) {
    const { cookiesOnly } = options;
    const origins: ReadonlySet<string> = new Set(options.origins);
    const tokens = options.token === undefined ? null : new TokenCheck(options.token);
    const allowed = environment.counter("allowed");
    const refused = environment.counter("refused");
    return {
      onRequest(exchange) {
        if (!changes(exchange)) return undefined;
        const isExempt = cookiesOnly && !hasSentCookies(exchange);
        const fault = isExempt
          ? null
          : (crossSiteFault(exchange, origins) ?? tokens?.fault(exchange) ?? null);
        if (fault === null) {
          allowed.add(1);
          return undefined;
        }
        refused.add(1);
        return fault;
      },
      ...(tokens === null ? {} : { onResponse: (exchange) => tokens.issue(exchange) }),
    };
  },
});

/**
 * Whether a request may change anything (RFC 9110 section 9.2.1). A WebSocket's handshake is a GET that no
 * page needs permission for, and what follows may do anything.
 */
function changes(exchange: Exchange): boolean {
  const { method } = exchange;
  if (method !== "GET" && method !== "HEAD" && method !== "OPTIONS") return true;
  if (exchange.request.upgradeIndex >= 0) return true;
  if (exchange.query("_method") !== undefined) return true;
  for (const name of OVERRIDES) if (exchange.request.fields.has(name)) return true;
  return false;
}
