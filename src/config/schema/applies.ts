import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { expression } from "../../policy/values/expression.ts";
import { section } from "../../policy/values/section.ts";
import { matchShape, shortMatch, type MatchConfig } from "./match.ts";

/** Which requests a condition of a policy takes: all that is said has to hold. */
export interface AppliesConfig {
  match: MatchConfig;
  /** CEL; "" for none. */
  expression: string;
}

const object = section({
  ...matchShape,
  path: matchShape.path.prefault("/*"),
  expression: expression()
    .optional()
    .describe("CEL over the request and the identity: `identity.claims.tier == 'free'`."),
}).transform(({ expression: cel = "", ...rest }): AppliesConfig => ({
  match: rest,
  expression: cel,
}));

/** `when` and `unless` of a policy: `POST /orders/*`, or a map as `match` takes, and an expression. */
export const applies: z.ZodType<AppliesConfig, string | z.input<typeof object>> = z.union(
  [shortMatch.transform((value): AppliesConfig => ({ match: value, expression: "" })), object],
  { error: expected("a condition", "write it like POST /orders/*, or a map") },
);
