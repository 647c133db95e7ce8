/**
 * forward-auth: asks a service about each request, and lets pass what it accepts.
 */
import { defineAuthenticator } from "../../policy/authenticator.ts";
import type { OptionMistake } from "../../policy/policy.ts";
import { suggestion } from "../../policy/values/did-you-mean.ts";
import { duration } from "../../policy/values/duration.ts";
import { headerName, headerToSet } from "../../policy/values/header.ts";
import { count, flag } from "../../policy/values/number.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";
import { ForwardAuthenticator, authServiceUnavailable } from "./forward-authenticator.ts";

/** Where requests bring what proves who they come from, unless they do it in a header of their own. */
const CREDENTIALS = ["authorization", "cookie"];
/** Headers that do not tell callers apart. */
const HARMLESS = new Set(["accept", "accept-language", "origin", "referer", "user-agent"]);
const TARGET = /^\/[!"$-~]*$/;

const cache = section({
  ttl: duration().prefault("10s").describe("For how long an acceptance holds."),
  by: listOf(headerName(), "a header name")
    .optional()
    .describe("Request headers that tell callers apart. Default: all of `requestHeaders`."),
  scope: choice(["request", "caller"])
    .prefault("request")
    .describe(
      "`request`: an acceptance holds for the same method, host, path and query; `caller`: for whatever the " +
        "caller asks, because the service looks at nothing else.",
    ),
  entries: count({ min: 2, max: 1_000_000 })
    .prefault(10_000)
    .describe("Acceptances that a worker remembers at most."),
});

const identity = section({
  subject: headerName().optional().describe("Response header with the name of the caller."),
  consumer: headerName()
    .optional()
    .describe("Response header with the name of one of `consumers`; another one is refused."),
  groups: headerName().optional().describe("Response header with groups, separated by commas."),
  roles: headerName().optional().describe("Response header with roles, separated by commas."),
  scopes: headerName().optional().describe("Response header with scopes, separated by blanks."),
});

export default defineAuthenticator({
  name: "forward-auth",
  summary: "Asks a service about each request, and lets pass what it accepts.",
  schema: section({
    service: text("the name of a service").describe("The service to ask, one of `services`."),
    path: parsedText(parsePath, {
      what: "a path",
      hint: "write it like /verify",
      sample: "/verify",
    })
      .prefault("/")
      .describe("Path, and query, that it is asked at."),
    method: choice(["GET", "HEAD", "POST"]).prefault("GET").describe("Method that it is asked by."),
    requestHeaders: listOf(headerToSet(), "a header name")
      .prefault(CREDENTIALS)
      .describe("Request headers that it sees; `*` for all."),
    identity: identity
      .prefault({})
      .describe("Response headers of an acceptance that say who is calling."),
    upstreamHeaders: listOf(headerToSet(), "a header name")
      .prefault([])
      .describe(
        "Response headers of an acceptance that the request takes on. What clients send in them is removed.",
      ),
    clientHeaders: listOf(headerToSet(), "a header name")
      .prefault(["location", "www-authenticate", "set-cookie", "retry-after", "content-type"])
      .describe("Response headers of a refusal that the client gets."),
    cookies: flag()
      .prefault(false)
      .describe("Give the client the cookies of an acceptance too, such as of a renewed session."),
    bodyMax: size().prefault("64kb").describe("Longest body of an answer."),
    timeout: duration().prefault("5s").describe("Longest time for an answer, retries included."),
    whenAway: choice(["deny", "allow"])
      .prefault("deny")
      .describe("What becomes of requests while the service gives no answer: 503, or they pass."),
    cache: cache.optional().describe("Remember acceptances. Default: ask about each request."),
  }),
  results: ["away"],
  faults: [authServiceUnavailable],

  check({ service, requestHeaders, upstreamHeaders, cache: remembered }, { services }) {
    const mistakes: OptionMistake[] = [];
    if (!services.includes(service)) {
      const hint = suggestion(service, services) ?? "declare it under services";
      mistakes.push({ path: ["service"], message: `no service named "${service}"`, hint });
    }
    if (upstreamHeaders.includes("*")) {
      const message = "* is no header that clients could be kept from sending";
      mistakes.push({ path: ["upstreamHeaders"], message, hint: "name the headers" });
    }
    if (remembered !== undefined) {
      const { by = requestHeaders } = remembered;
      const missing = sentCredentials(requestHeaders).filter((name) => !by.includes(name));
      if (missing.length > 0) {
        const message = `callers would share acceptances: ${missing.join(" and ")} may tell them apart`;
        const hint = "add to by, or take out of requestHeaders";
        mistakes.push({ path: ["cache"], message, hint });
      }
    }
    return mistakes;
  },

  compile: (options, environment) => new ForwardAuthenticator(options, environment),
});

function parsePath(written: string): string {
  if (TARGET.test(written)) return written;
  throw new Refusal(`${JSON.stringify(written)} is not a path`);
}

/** Those by which the service may tell callers apart. */
function sentCredentials(requestHeaders: readonly string[]): readonly string[] {
  return requestHeaders.includes("*")
    ? CREDENTIALS
    : requestHeaders.filter((name) => !HARMLESS.has(name));
}
