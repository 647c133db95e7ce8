import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { suggestion } from "../../policy/values/did-you-mean.ts";
import { duration } from "../../policy/values/duration.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { choice, text } from "../../policy/values/text.ts";

/** What a request is hashed by. `name` is empty for `client`, the client's address. */
export interface HashKey {
  from: "header" | "cookie" | "param" | "client";
  name: string;
}

/** Ways to choose a target that take no options. */
export type PlainBalance = "round-robin" | "least-requests" | "random" | "peak-ewma";

/** Bounded-load consistent hashing: no target gets more than `boundedLoad` x its fair share. */
export interface HashBalance {
  name: "hash";
  by: HashKey;
  boundedLoad: number;
}

/** A cookie binds a client to a target; `fallback` chooses the first time. */
export interface StickyBalance {
  name: "sticky";
  cookie: string;
  /** Life of the cookie, ms; 0: until the browser is closed. */
  ttlMs: number;
  fallback: { name: PlainBalance } | HashBalance;
}

export type BalanceConfig = { name: PlainBalance } | HashBalance | StickyBalance;

const PLAIN = ["round-robin", "least-requests", "random", "peak-ewma"] as const;
const NAMES = [...PLAIN, "hash", "sticky"] as const;
/** RFC 6265 4.1.1 cookie-name, RFC 9110 5.6.2 token. */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const BY_HINT = "write client, or one of { header: NAME }, { cookie: NAME }, { param: NAME }";

const hashKeyMap = section({
  header: text("a header's name").optional().describe("Hash the value of this request header."),
  cookie: text("a cookie's name").optional().describe("Hash the value of this cookie."),
  param: text("a parameter's name").optional().describe("Hash this parameter of the route's path."),
}).transform((value, context): HashKey => {
  const given: HashKey[] = [];
  if (value.header !== undefined) given.push({ from: "header", name: value.header.toLowerCase() });
  if (value.cookie !== undefined) given.push({ from: "cookie", name: value.cookie });
  if (value.param !== undefined) given.push({ from: "param", name: value.param });
  const [only, second] = given;
  if (only !== undefined && second === undefined) return only;
  const params = { hint: "write one of header, cookie, param" };
  const message = only === undefined ? "nothing to hash by" : "several things to hash by";
  context.issues.push({ code: "custom", message, params, input: value });
  return z.NEVER;
});

const hashKey = z.union(
  [
    parsedText(clientKey, { what: "what to hash by", hint: BY_HINT, choices: ["client"] }),
    hashKeyMap,
  ],
  { error: expected("what to hash by", BY_HINT) },
);

const boundedLoad = z
  .number({ error: expected("a number from 1 to 100") })
  .min(1, { error: expected("a number from 1 to 100") })
  .max(100, { error: expected("a number from 1 to 100") })
  .prefault(1.25)
  .describe("Most load of a target as a multiple of the average; past it the next one serves.");

const plain = choice(PLAIN).transform((name): { name: PlainBalance } => ({ name }));
const plainObject = section({ name: choice(PLAIN).describe("The way to choose.") });
const hashObject = section({
  name: z.literal("hash").describe("The way to choose."),
  by: hashKey
    .prefault("client")
    .describe("What is hashed: `client` (its address), or { header }, { cookie } or { param }."),
  boundedLoad,
});
const fallback = z.union([plain, z.discriminatedUnion("name", [plainObject, hashObject])], {
  error: expected(`one of ${PLAIN.join(", ")} or { name: hash, by: … }`),
});
const stickyObject = section({
  name: z.literal("sticky").describe("The way to choose."),
  cookie: text("a cookie's name")
    .regex(TOKEN, { error: "not a cookie name; letters, digits and -_. only" })
    .prefault("gw-sticky")
    .describe("Name of the cookie that binds a client to a target."),
  ttl: duration({ none: true, maxMs: 400 * 86_400_000 })
    .prefault("none")
    .describe("Life of the cookie; `none` lets it end with the browser's session."),
  fallback: fallback
    .prefault("round-robin")
    .describe("How the target of a new client is chosen, or when the bound one cannot serve."),
}).transform(({ ttl, ...value }): StickyBalance => ({ ...value, ttlMs: ttl }));

const balanceObject = z.discriminatedUnion("name", [plainObject, hashObject, stickyObject], {
  error: (issue) => {
    const written = (issue.input as { name?: unknown } | null | undefined)?.name;
    return unknownBalance(written);
  },
});

const bare = parsedText(
  (name): BalanceConfig => {
    if (PLAIN.some((known) => known === name)) return { name: name as PlainBalance };
    if (name === "hash") return hashObject.parse({ name });
    if (name === "sticky") return stickyObject.parse({ name });
    const [message = "", hint] = unknownBalance(name).split("; ");
    throw new Refusal(message, hint);
  },
  {
    what: "a way to balance",
    hint: `one of ${NAMES.join(", ")}`,
    choices: NAMES,
  },
);

/** `balance` of a service: a name, or a map of the name and its options. */
export const balance: z.ZodType<BalanceConfig, string | z.input<typeof balanceObject>> = z.union(
  [bare, balanceObject],
  { error: expected(`one of ${NAMES.join(", ")}, or a map with its name and options`) },
);

function clientKey(written: string): HashKey {
  if (written === "client") return { from: "client", name: "" };
  const lacksName = ["header", "cookie", "param"].includes(written);
  const hint = lacksName ? `name the ${written}: { ${written}: NAME }` : BY_HINT;
  throw new Refusal(`cannot hash by ${JSON.stringify(written)}`, hint);
}

function unknownBalance(written: unknown): string {
  if (typeof written !== "string") return `no name of a way to balance; one of ${NAMES.join(", ")}`;
  return `no balancing named ${JSON.stringify(written)}; ${suggestion(written, NAMES) ?? ""}`;
}
