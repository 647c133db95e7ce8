import { z } from "zod";
import { flag } from "./number.ts";
import { section } from "./section.ts";
import { regexSource, text } from "./text.ts";

/**
 * A test of one value (a header's, a query parameter's, a cookie's). An absent value passes only
 * `present: false` and `not`. `regex` has to match the whole value.
 */
export type ValueTest =
  | { kind: "exact"; value: string }
  | { kind: "prefix"; value: string }
  | { kind: "regex"; source: string }
  | { kind: "present"; present: boolean }
  | { kind: "not"; test: ValueTest }
  | { kind: "any"; tests: ValueTest[] };

/** A named value and what it must be. Header names are lower-case. */
export interface Condition {
  name: string;
  test: ValueTest;
}

/** A test as users write it. */
export type ValueTestInput =
  | string
  | ValueTestInput[]
  | { present: boolean | "true" | "false" }
  | { prefix: string }
  | { regex: string }
  | { not: ValueTestInput };

const testMap: z.ZodType<ValueTest> = z.lazy(() =>
  section({
    present: flag()
      .optional()
      .describe("`true`: there at all, whatever its value; `false`: absent."),
    prefix: text("the beginning of a value").optional().describe("The value begins with this."),
    regex: regexSource().optional().describe("The whole value matches this regular expression."),
    not: valueTest.optional().describe("The value fails this test, or is absent."),
  }).transform((value, context): ValueTest => {
    const given = Object.values(value).filter((one) => one !== undefined).length;
    if (given === 1) {
      if (value.present !== undefined) return { kind: "present", present: value.present };
      if (value.prefix !== undefined) return { kind: "prefix", value: value.prefix };
      if (value.regex !== undefined) return { kind: "regex", source: value.regex };
      return { kind: "not", test: value.not! };
    }
    const message = given === 0 ? "an empty test" : "several tests in one";
    const params = { hint: "write one of present, prefix, regex, not" };
    context.issues.push({ code: "custom", message, params, input: value });
    return z.NEVER;
  }),
);

const ERROR = "expected a string, a list of them, or a map of present, prefix, regex or not";

/** Schema of a test: an exact string, a map of one test, or a list of which any passes. */
export const valueTest: z.ZodType<ValueTest, ValueTestInput> = z.lazy(() => valueTestUnion);

const exact = text("a value").transform((value): ValueTest => ({ kind: "exact", value }));
const anyOf = z
  .array(valueTest)
  .min(1, { error: "an empty list; name at least one value" })
  .transform((tests): ValueTest => ({ kind: "any", tests }));
const valueTestUnion = z.union([exact, anyOf, testMap], {
  error: ({ input }) => {
    const scalar = typeof input === "number" || typeof input === "boolean";
    return scalar ? `expected a string; put it in quotes: "${String(input)}"` : ERROR;
  },
}) as z.ZodType<ValueTest, ValueTestInput>;

/** Schema of a map of names to tests; all must pass. */
export function conditions(what: string, normalName: (name: string) => string) {
  const error = `expected a map of ${what} to values`;
  return z
    .record(z.string(), valueTest, { error })
    .transform((tests): Condition[] =>
      Object.entries(tests).map(([name, test]) => ({ name: normalName(name), test })),
    );
}
