import { z } from "zod";
import { cookieName } from "./cookie.ts";
import { expected } from "./expected.ts";
import { expression } from "./expression.ts";
import { headerName } from "./header.ts";
import { section } from "./section.ts";
import { choice, listOf, text } from "./text.ts";

const NAMES = ["client", "consumer", "credential", "address", "route", "all"] as const;
const HINT = `write ${NAMES.join(", ")}, or one of { header: NAME }, { cookie: NAME }, { query: NAME }, { param: NAME }, { claim: NAME }, { expression: CEL }`;

/** What of a request is counted by; `name` is "" where the source needs none, CEL for an expression. */
export interface LimitKeyPart {
  readonly from: (typeof NAMES)[number] | keyof z.output<typeof named>;
  readonly name: string;
}

const named = section({
  header: headerName().optional().describe("Value of this request header; none counts as empty."),
  cookie: cookieName().optional().describe("Value of this cookie; none counts as empty."),
  query: text("a parameter's name")
    .optional()
    .describe("First value of this query parameter, decoded; none counts as empty."),
  param: text("a parameter's name").optional().describe("This parameter of the route's path."),
  claim: text("a claim's name")
    .optional()
    .describe("This claim of the caller's token; dots lead into claims that are maps."),
  expression: expression()
    .optional()
    .describe("Result of this CEL expression; one that fails counts as empty."),
});

const namedPart = named.transform((value, context): LimitKeyPart => {
  const given = Object.entries(value) as [LimitKeyPart["from"], string][];
  const [only, second] = given;
  if (only !== undefined && second === undefined) return { from: only[0], name: only[1] };
  const message = only === undefined ? "nothing to count by" : "several things to count by";
  const keys = Object.keys(named.shape).join(", ");
  const hint =
    only === undefined ? `write one of ${keys}` : "write each in a map of its own, after a dash";
  context.issues.push({ code: "custom", message, params: { hint }, input: value });
  return z.NEVER;
});

const namelessPart = choice(NAMES).transform((from): LimitKeyPart => ({ from, name: "" }));

const part = z.union([namelessPart, namedPart], { error: expected("what to count by", HINT) });

/**
 * Schema of what requests are counted by, the same in every policy that limits: one source, or several
 * that are combined. `compileLimitKey` makes a function of the output.
 */
export function limitKey() {
  return listOf(part, "what to count by").superRefine((parts, context) => {
    const refuse = (message: string, hint: string): void => {
      context.addIssue({ code: "custom", message, params: { hint }, input: parts });
    };
    if (parts.length === 0) refuse("nothing to count by", "write all for a single count");
    const isAll = parts.some(({ from }) => from === "all");
    if (isAll && parts.length > 1) refuse("all combines with nothing", "leave it out");
    const distinct = new Set(parts.map(({ from, name }) => `${from} ${name}`));
    if (distinct.size < parts.length) refuse("the same source twice", "write each once");
  });
}

/** Schema of the prefix by which IPv6 addresses are counted. */
export function ipv6Prefix() {
  return z
    .int({ error: expected("a prefix length", "a number from 16 to 128") })
    .min(16)
    .max(128);
}
