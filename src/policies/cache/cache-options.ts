import { z } from "zod";
import { cookieName } from "../../policy/values/cookie.ts";
import { duration, durationOr } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { headerName } from "../../policy/values/header.ts";
import { count, flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";

const YEAR_MS = 365 * 86_400_000;
const FORMS = "a duration, or a map of durations by status";

/**
 * What may be kept. Those that a client can bring about by a malformed request (400, 405, 414, 431, 501) are not
 * among them: they would be there for everyone.
 */
const STATUSES = [200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 410];

const lifetime = duration({ maxMs: YEAR_MS });
const byStatus = z.record(
  z.string().regex(/^([2-5]\d\d|[2-5]xx|default)$/, {
    error: "expected a status such as 404, a class such as 4xx, or default",
  }),
  lifetime,
);

export type CacheOptions = z.output<typeof cacheOptions>;
export type KeyOptions = CacheOptions["key"];

export const cacheOptions = section({
  ttl: z
    .union([lifetime.transform((ms): Record<string, number> => ({ default: ms })), byStatus], {
      error: durationOr(FORMS),
    })
    .optional()
    .describe(
      "How long answers are fresh of which the service does not say: a duration, or a map by status (`200`, `4xx`, `default`). Without it they are not kept.",
    ),
  heuristic: flag()
    .prefault(false)
    .describe(
      "Take answers that only have `Last-Modified` for fresh a tenth of their age, a day at most.",
    ),
  respect: flag()
    .prefault(true)
    .describe(
      "Whether the service says how long; `false`: only `ttl` does. What it forbids to keep is not kept either way.",
    ),
  statuses: z
    .array(count({ min: 200, max: 599 }), { error: expected("a list of statuses") })
    .prefault(STATUSES)
    .describe("Statuses that are kept."),
  maxBytes: size().prefault("1mb").describe("Longest body that is kept."),
  key: section({
    query: listOf(text("a parameter's name"), "a parameter's name")
      .optional()
      .describe("Only these query parameters; the service is sent no others."),
    ignoreQuery: listOf(text("a parameter's name"), "a parameter's name")
      .prefault([])
      .describe("Query parameters to leave out, `utm_*` too; the service is not sent them."),
    sortQuery: flag().prefault(false).describe("Order of query parameters does not matter."),
    headers: listOf(headerName(), "a header name")
      .prefault([])
      .describe("Request headers that answers differ by, beside those in `Vary`."),
    cookies: listOf(cookieName(), "a cookie's name")
      .prefault([])
      .describe("Cookies that answers differ by."),
    identity: flag().prefault(false).describe("Each caller has answers of its own."),
  })
    .prefault({})
    .describe("What answers are told apart by, beside scheme, host, path and query."),
  authorized: flag()
    .prefault(false)
    .describe(
      "Keep what known callers are sent, and give it to any of them, though `Cache-Control` does not allow it.",
    ),
  shared: flag()
    .prefault(false)
    .describe("Answer from the cache before a later policy asks who is calling."),
  setCookie: flag().prefault(false).describe("Keep answers with `Set-Cookie`, cookies and all."),
  staleWhileRevalidate: duration({ maxMs: YEAR_MS, none: true })
    .prefault("none")
    .describe(
      "How long a stale answer may be given while a new one is fetched in the background, where the service does not say.",
    ),
  staleIfError: duration({ maxMs: YEAR_MS, none: true })
    .prefault("none")
    .describe("How long one may be given when the service fails, where it does not say."),
  maxStale: duration({ maxMs: YEAR_MS, none: true })
    .prefault("none")
    .describe(
      "How long one is kept beyond its time for the `fallback` of a route or a service, which gives it by `cached`.",
    ),
  clientControl: flag()
    .prefault(false)
    .describe("Whether clients may ask for fresh answers by `Cache-Control` or `Pragma`."),
  wait: duration({ maxMs: 60_000, none: true })
    .prefault("5s")
    .describe("How long requests wait for one that asks the service for the same."),
  tags: headerName().prefault("cache-tag").describe("Header in which the service names tags."),
  cacheStatus: flag().prefault(true).describe("Tell clients by `Cache-Status` (RFC 9211)."),
  store: choice(["memory", "redis"])
    .prefault("memory")
    .describe("This process, for all its workers, or the document's Redis, for all machines."),
});
