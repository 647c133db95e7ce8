import { z } from "zod";
import { ipv6Prefix, limitKey, type LimitKeyPart } from "../../policy/values/limit-key.ts";
import { duration, formatDuration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { count, flag } from "../../policy/values/number.ts";
import { requestCost } from "../../policy/values/request-cost.ts";
import { section } from "../../policy/values/section.ts";
import { choice, text } from "../../policy/values/text.ts";

/** One limit, with all that its options leave open. */
export interface Limit {
  /** What the headers call it. */
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly algorithm: "sliding-window" | "token-bucket" | "fixed-window";
  /** Size of the bucket; of the others the limit. */
  readonly burst: number;
  readonly by: readonly LimitKeyPart[];
  /** Where it is written in the options. */
  readonly path: readonly (string | number)[];
}

export type RateLimitOptions = z.output<typeof rateLimitOptions>;

/** Beyond this, counts that a restart forgets are no good; the policy quota keeps them. */
const WINDOW_MAX_MS = 31 * 86_400_000;
const LIMIT_DEFAULT = 100;
const WINDOW_DEFAULT_MS = 60_000;

/** The numbers of one limit, at the top of the options and in each of `limits`. */
const numbers = {
  limit: count({ min: 1, max: 1e12 })
    .optional()
    .describe(`Requests, or costs, that a window holds; by default ${LIMIT_DEFAULT}.`),
  window: duration({ maxMs: WINDOW_MAX_MS })
    .optional()
    .describe("Time in which they may come; by default `1m`."),
  burst: count({ min: 1, max: 1e12 })
    .optional()
    .describe("Token bucket: how many may come at once; by default as many as `limit`."),
  name: text("a name")
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, {
      error: "not a name for a header; write up to 40 letters, digits and -_.",
    })
    .optional()
    .describe("What the headers call it; by default `default`, among `limits` its window."),
};

const oneOfSeveral = section({
  ...numbers,
  algorithm: choice(["sliding-window", "token-bucket", "fixed-window"])
    .optional()
    .describe("In place of the one above."),
  by: limitKey().optional().describe("In place of what stands above."),
});

export const rateLimitOptions = section({
  ...numbers,
  algorithm: choice(["sliding-window", "token-bucket", "fixed-window"])
    .prefault("sliding-window")
    .describe("How requests are counted."),
  by: limitKey()
    .prefault("client")
    .describe("What is counted apart: one source, or a list of several that are combined."),
  limits: z
    .array(oneOfSeveral, { error: expected("a list of limits", "begin each with a dash") })
    .min(1)
    .optional()
    .describe("Several limits, all of which a request has to keep to; in place of the one above."),
  ipv6Prefix: ipv6Prefix()
    .prefault(64)
    .describe("IPv6 addresses that share a prefix of this many bits are one."),
  cost: requestCost()
    .prefault(1)
    .describe(
      "What a request counts: a number, or CEL such as `request.method == 'POST' ? 5 : 1`.",
    ),
  store: choice(["memory", "redis"])
    .prefault("memory")
    .describe(
      "Where counts are kept: this process, exact for all its workers, or `redis`, for all.",
    ),
  whenStoreIsAway: choice(["allow", "deny", "local"])
    .prefault("local")
    .describe("While Redis is away: let all pass, refuse all with 503, or count in this process."),
  headers: choice(["draft", "legacy", "none"])
    .prefault("draft")
    .describe("What clients are told: `RateLimit` and `RateLimit-Policy`, or `X-RateLimit-*`."),
  dryRun: flag().prefault(false).describe("Only count what would have been refused."),
});

/** The limits of the options, as they hold. */
export function limitsOf(options: RateLimitOptions): readonly Limit[] {
  const { limits } = options;
  if (limits === undefined) return [limitOf(options, options, { name: "default", path: [] })];
  const names = new Set<string>();
  return limits.map((one, index) => {
    const name = unusedName(one.name ?? formatDuration(one.window ?? WINDOW_DEFAULT_MS), names);
    return limitOf(one, options, { name, path: ["limits", index] });
  });
}

function limitOf(
  given: z.output<typeof oneOfSeveral>,
  common: RateLimitOptions,
  { name, path }: Pick<Limit, "name" | "path">,
): Limit {
  const { limit = LIMIT_DEFAULT, window = WINDOW_DEFAULT_MS, burst = limit } = given;
  return {
    name: given.name ?? name,
    limit,
    windowMs: window,
    algorithm: given.algorithm ?? common.algorithm,
    burst,
    by: given.by ?? common.by,
    path,
  };
}

function unusedName(wanted: string, names: Set<string>): string {
  let name = wanted;
  for (let number = 2; names.has(name); number++) name = `${wanted}-${number}`;
  names.add(name);
  return name;
}
