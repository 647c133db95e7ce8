/**
 * cors: tells browsers which pages of other origins may use a route, and how (Fetch standard, section 3.2).
 */
import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { ownOrigin } from "../../policy/own-origin.ts";
import { definePolicy } from "../../policy/policy.ts";
import type { OptionMistake } from "../../policy/policy.ts";
import { reply } from "../../policy/reply.ts";
import { duration } from "../../policy/values/duration.ts";
import { headerName } from "../../policy/values/header.ts";
import { flag } from "../../policy/values/number.ts";
import { pattern } from "../../policy/values/pattern.ts";
import { section } from "../../policy/values/section.ts";
import { listOf } from "../../policy/values/text.ts";
import { AllowedOrigins, originRule } from "./allowed-origins.ts";
import { methodName } from "./method-name.ts";
import { Preflight } from "./preflight.ts";

const ANY = "*";
const originOrPattern = originRule().or(
  section({ regex: pattern().describe("Has to match the whole origin.") }),
);

export default definePolicy({
  name: "cors",
  summary: "Lets browsers use the route from pages of other origins, and answers their preflights.",
  schema: section({
    origins: listOf(originOrPattern, "an origin").describe(
      "Origins of pages that may use the route: exact, `https://*.example.com` for all names below, " +
        "`http://localhost:*` for any port, `{ regex: ... }` for the whole origin, `*` for every page.",
    ),
    methods: listOf(methodName(), "a method")
      .prefault(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
      .describe("Methods that pages may use; `*` for any."),
    headers: listOf(headerName(), "a header name")
      .prefault([ANY])
      .describe("Request headers that pages may set; `*` for any, Authorization too."),
    exposeHeaders: listOf(headerName(), "a header name")
      .prefault([])
      .describe("Response headers that scripts may read beside the harmless ones; `*` for all."),
    credentials: flag()
      .prefault(false)
      .describe("Let pages send cookies and client certificates, and read what comes back."),
    maxAge: duration({ minMs: 0 })
      .prefault("10m")
      .describe("For how long browsers may remember the answer to a preflight."),
    privateNetwork: flag()
      .prefault(false)
      .describe("Let pages of the internet use the route where it is in a private network."),
  }),
  results: ["allowed", "refused"],

  check({ origins, exposeHeaders, credentials }, { place }) {
    const mistakes: OptionMistake[] = [];
    const refuse = (path: string, message: string, hint: string): void => {
      mistakes.push({ path: [path], message, hint });
    };
    if (place === "plan" || place === "consumer") {
      const message = "a preflight never says who is calling";
      mistakes.push({ message, hint: "put cors into a route, a service or the document's list" });
    }
    if (credentials && origins.includes(ANY)) {
      refuse("origins", "every page could act for the user", "list origins, or drop credentials");
    }
    if (credentials && origins.includes("null")) {
      refuse("origins", "any page can have the origin null", "drop null, or drop credentials");
    }
    if (credentials && exposeHeaders.includes(ANY)) {
      refuse("exposeHeaders", "with credentials browsers take * for a name", "list the headers");
    }
    return mistakes;
  },

  compile({ origins, exposeHeaders, credentials, maxAge, ...asked }, environment) {
    const allowedOrigins = new AllowedOrigins(origins);
    const preflight = new Preflight({ ...asked, credentials, maxAgeMs: maxAge });
    const exposed = exposeHeaders.join(", ");
    const allowed = environment.counter("allowed");
    const refused = environment.counter("refused");
    /** What every page gets can be kept by caches for all of them. */
    const isSame = allowedOrigins.isAny;
    return {
      onPreflight(exchange) {
        answered.set(exchange, true);
        const origin = exchange.header("origin")!;
        const isAllowed = allowedOrigins.allows(origin);
        if (isAllowed && preflight.allows(exchange)) allowed.add(1);
        else refused.add(1);
        if (!isAllowed) return notAllowed;
        const headers = preflight.answer(exchange);
        headers["access-control-allow-origin"] = isSame ? ANY : origin;
        return reply(204, headers);
      },

      onResponse(exchange) {
        if (answered.get(exchange) === true) return;
        answered.set(exchange, true);
        const { fields } = exchange.response;
        fields.removePrefixed("access-control-");
        if (!isSame) varyByOrigin(exchange);
        const origin = exchange.header("origin");
        if (origin === undefined && !isSame) return;
        if (origin !== undefined && !allowedOrigins.allows(origin)) {
          // Browsers send it to the page's own origin too, and ask for no permission there.
          if (origin !== ownOrigin(exchange)) refused.add(1);
          return;
        }
        if (origin !== undefined) allowed.add(1);
        fields.add("access-control-allow-origin", isSame ? ANY : origin!);
        if (credentials) fields.add("access-control-allow-credentials", "true");
        if (exposed !== "") fields.add("access-control-expose-headers", exposed);
      },
    };
  },
});

/** Of several in different places the innermost answers, and the others leave it at that. */
const answered = new ExchangeMemory<true>();

const notAllowed = reply(204, { vary: "Origin" });
const NAMES_ORIGIN = /(?:^|,)[ \t]*(?:origin|\*)[ \t]*(?:,|$)/i;

/** Also where the answer allows nothing: a cache must not give it to another page. */
function varyByOrigin({ response }: Exchange): void {
  const vary = response.fields.get("vary");
  if (vary === undefined || !NAMES_ORIGIN.test(vary)) response.fields.add("vary", "Origin");
}
