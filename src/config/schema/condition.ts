import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import type { MatchValue } from "../../routing/match-value.ts";
import { flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { text } from "../../policy/values/text.ts";

/**
 * A test of one value (a header's, a query parameter's, a cookie's): an exact string, a map of one
 * test, or a list of which any may pass. The same in the document and normalised.
 */
export type ValueTest =
  | string
  | { present: boolean }
  | { prefix: string }
  | { regex: string }
  | { not: ValueTest }
  | ValueTest[];

const LONG = "write a string, a list of strings, or a map of present, prefix, regex or not";

const exact = text("a value");
const anyOf = z
  .array(z.lazy((): z.ZodType<ValueTest, ValueTest> => valueTest))
  .min(1, { error: "an empty list matches nothing; name a value" });
const oneTest = section({
  present: flag().optional().describe("`true`: there, whatever its value; `false`: absent."),
  prefix: text("the beginning of a value").optional().describe("The value begins with this."),
  regex: text("a regular expression")
    .optional()
    .describe("The whole value matches this regular expression."),
  not: z
    .lazy((): z.ZodType<ValueTest, ValueTest> => valueTest)
    .optional()
    .describe("The value fails this test, or is absent."),
}).transform((value, context): ValueTest => {
  const { present, prefix, regex, not } = value;
  const tests: ValueTest[] = [];
  if (present !== undefined) tests.push({ present });
  if (prefix !== undefined) tests.push({ prefix });
  if (regex !== undefined) tests.push({ regex });
  if (not !== undefined) tests.push({ not });
  const [test, second] = tests;
  if (test !== undefined && second === undefined) return test;
  const message = test === undefined ? "an empty test" : "several tests in one";
  const params = { hint: "write one of present, prefix, regex, not" };
  context.issues.push({ code: "custom", message, params, input: value });
  return z.NEVER;
});

/** Schema of a test. */
export const valueTest = z
  .union([exact, oneTest, anyOf], {
    error: ({ input }) => {
      const isScalar = typeof input === "number" || typeof input === "boolean";
      if (isScalar) return `expected a value in quotes; write "${String(input)}"`;
      return `expected a value to compare with; ${LONG}`;
    },
  })
  .meta({ id: "ValueTest" }) as unknown as z.ZodType<ValueTest, ValueTest>;

/** Schema of a map of names to tests; all must pass. */
export function conditions(
  what: string,
): z.ZodType<Record<string, ValueTest>, Record<string, ValueTest>> {
  return z.record(z.string(), valueTest, { error: expected(`a map of ${what} to values`) });
}

/** What a test is to the routing table: held together here, so that a change of one shows. */
export type SameAsRouting = ValueTest extends MatchValue ? true : never;
