import { z } from "zod";
import { parseDate } from "../../policy/values/date.ts";
import { suggestion } from "../../policy/values/did-you-mean.ts";
import { expected } from "../../policy/values/expected.ts";
import { ipv6Prefix, limitKey } from "../../policy/values/limit-key.ts";
import { count, flag } from "../../policy/values/number.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { requestCost } from "../../policy/values/request-cost.ts";
import { section } from "../../policy/values/section.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";
import { PERIOD_UNITS } from "./periods.ts";
import { timeZone } from "./time-zone.ts";

export type QuotaOptions = z.output<typeof quotaOptions>;

const zone = parsedText(
  (name) => {
    try {
      timeZone(name);
      return name;
    } catch {
      const near = suggestion(name, Intl.supportedValuesOf("timeZone"));
      throw new Refusal(`there is no time zone ${JSON.stringify(name)}`, near);
    }
  },
  { what: "a time zone", hint: "write it like Europe/Berlin", sample: "Europe/Berlin" },
);

/** From when periods are counted: a moment, or a key of the consumer's metadata that holds one. */
export type Anchor = { readonly date: string } | { readonly metadata: string };

const ANCHOR = "write a date like 2026-01-15, or { metadata: KEY }";
const anchor = z.union(
  [
    parsedText(parseAnchor, { what: "a date", hint: ANCHOR, sample: "2026-01-15" }),
    section({
      metadata: text("a key").describe("Key of the consumer's metadata that holds a date."),
    }).transform((value): Anchor => value),
  ],
  { error: expected("a date or { metadata: KEY }", ANCHOR) },
);

const STATUS = /^[1-5](xx|\d\d)$/;
const status = parsedText(
  (written) => {
    if (STATUS.test(written)) return written;
    throw new Refusal(`${JSON.stringify(written)} is not a status or a class of them`);
  },
  { what: "a status", hint: "write it like 2xx or 404", pattern: STATUS.source, sample: "2xx" },
);
const numericStatus = z
  .int({ error: expected("a status", "write it like 2xx or 404") })
  .min(100)
  .max(599)
  .transform(String);

function parseAnchor(date: string): Anchor {
  parseDate(date);
  return { date };
}

export const quotaOptions = section({
  limit: count({ min: 1, max: 1e15 }).describe("Requests, or costs, that a period holds."),
  period: choice(PERIOD_UNITS)
    .prefault("month")
    .describe("How long a period lasts; weeks begin on Monday."),
  timezone: zone
    .prefault("UTC")
    .describe("Time zone in which periods begin, with its summer time."),
  anchor: anchor
    .optional()
    .describe(
      "When periods begin, in place of the calendar: `2026-01-15` for the 15th of each month, or " +
        "`{ metadata: KEY }` for a date of each consumer's own.",
    ),
  by: limitKey()
    .prefault("client")
    .describe("What is counted apart: one source, or a list of several that are combined."),
  ipv6Prefix: ipv6Prefix()
    .prefault(64)
    .describe("IPv6 addresses that share a prefix of this many bits are one."),
  cost: requestCost()
    .prefault(1)
    .describe("What a request counts: a number, or CEL such as `size(request.query) + 1`."),
  count: listOf(z.union([status, numericStatus]), "a status")
    .optional()
    .describe(
      "Answers that count, such as `[2xx, 404]`: others are given back. Default: every request.",
    ),
  store: choice(["memory", "redis"])
    .prefault("memory")
    .describe("Where counts are kept: on this machine, lasting, or in `redis`, for all machines."),
  whenStoreIsAway: choice(["allow", "deny", "local"])
    .prefault("local")
    .describe("While Redis is away: let all pass, refuse all with 503, or count on this machine."),
  name: text("a name")
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, {
      error: "not a name for a header; write up to 40 letters, digits and -_.",
    })
    .optional()
    .describe("What the headers call it; by default the period."),
  headers: choice(["draft", "legacy", "none"])
    .prefault("draft")
    .describe("What clients are told: `RateLimit` and `RateLimit-Policy`, or `X-RateLimit-*`."),
  dryRun: flag().prefault(false).describe("Only count what would have been refused."),
});
