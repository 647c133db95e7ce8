/**
 * security-headers: tells browsers what they should not do with answers.
 */
import { z } from "zod";
import { definePolicy } from "../../policy/policy.ts";
import { duration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { headerName, headerValue } from "../../policy/values/header.ts";
import { flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { choice, listOf } from "../../policy/values/text.ts";
import { headersOf } from "./compile-headers.ts";

const YEAR_MS = 365 * 86_400_000;

const hsts = section({
  maxAge: duration({ maxMs: 10 * YEAR_MS })
    .prefault("365d")
    .describe("For how long browsers use HTTPS only."),
  subdomains: flag().prefault(false).describe("For all names below this one too."),
  preload: flag()
    .prefault(false)
    .describe("Agree to be put on the list that browsers come with; hard to take back."),
});

/** A header's value, or `false` for not at all. */
function valueOf(what: string) {
  const error = expected(`${what} or false`);
  return z.union([z.literal(false), headerValue()], { error }).optional();
}

/** One of the values that browsers know, or `false` for not at all. */
function known<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  const error = expected(`one of ${choices.join(", ")}, or false`);
  return z.union([z.literal(false), choice(choices)], { error }).optional();
}

export default definePolicy({
  name: "security-headers",
  summary: "Tells browsers what they should not do with answers, and no one what made them.",
  schema: section({
    preset: choice(["api", "web"])
      .prefault("api")
      .describe("Where the values that are not given come from: for data, or for pages."),
    hsts: z
      .union([z.literal(false), hsts], { error: expected("a map or false") })
      .prefault({})
      .describe("Strict-Transport-Security; only in answers over HTTPS."),
    csp: valueOf("a policy").describe("Content-Security-Policy."),
    cspReportOnly: flag()
      .prefault(false)
      .describe("Send `csp` as Content-Security-Policy-Report-Only: browsers tell, and obey not."),
    contentTypeOptions: flag()
      .prefault(true)
      .describe("X-Content-Type-Options: nosniff; a script that is told to be text is not run."),
    frameOptions: known(["DENY", "SAMEORIGIN"]).describe(
      "X-Frame-Options: whether pages may be framed, for browsers that do not know it from `csp`.",
    ),
    referrerPolicy: known([
      "no-referrer",
      "no-referrer-when-downgrade",
      "origin",
      "origin-when-cross-origin",
      "same-origin",
      "strict-origin",
      "strict-origin-when-cross-origin",
      "unsafe-url",
    ]).describe("Referrer-Policy: how much links tell of where they stand."),
    permissionsPolicy: valueOf("a policy").describe(
      "Permissions-Policy: `camera=(), geolocation=(self)`.",
    ),
    openerPolicy: known(["unsafe-none", "same-origin-allow-popups", "same-origin"]).describe(
      "Cross-Origin-Opener-Policy: whether other origins' windows keep hold of this one.",
    ),
    embedderPolicy: known(["unsafe-none", "require-corp", "credentialless"]).describe(
      "Cross-Origin-Embedder-Policy: what pages may load from other origins.",
    ),
    resourcePolicy: known(["same-site", "same-origin", "cross-origin"]).describe(
      "Cross-Origin-Resource-Policy: who may embed the answer.",
    ),
    remove: listOf(headerName(), "a header name")
      .prefault(["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version"])
      .describe("Response headers that clients do not get."),
    override: flag()
      .prefault(false)
      .describe("Replace what the service has set itself; else that stands."),
  }).prefault({}),

  check({ hsts: transport }) {
    if (transport === false || !transport.preload) return [];
    if (transport.subdomains && transport.maxAge >= YEAR_MS) return [];
    const message = "browsers take no name onto their list without subdomains and a year of maxAge";
    const hint = "set subdomains: true and maxAge: 365d, or drop preload";
    return [{ path: ["hsts", "preload"], message, hint }];
  },

  compile({ remove, override, ...options }) {
    const always = headersOf(options);
    const secure = options.hsts === false ? null : transportSecurity(options.hsts);
    return {
      onResponse(exchange) {
        const { fields } = exchange.response;
        for (let index = 0; index < remove.length; index++) fields.remove(remove[index]!);
        for (let index = 0; index < always.length; index++) {
          const { name, value } = always[index]!;
          if (override) fields.set(name, value);
          else if (!fields.has(name)) fields.add(name, value);
        }
        // RFC 6797 section 7.2: never over plain HTTP, not even of the service's own.
        if (exchange.scheme !== "https") fields.remove(HSTS);
        else if (secure !== null && (override || !fields.has(HSTS))) fields.set(HSTS, secure);
      },
    };
  },
});

const HSTS = "strict-transport-security";

function transportSecurity({ maxAge, subdomains, preload }: z.output<typeof hsts>): string {
  const seconds = Math.floor(maxAge / 1000);
  return `max-age=${seconds}${subdomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`;
}
