import { checkExpression } from "../expressions/compile-expression.ts";
import { parsedText } from "./parsed-text.ts";

/** Schema of a CEL expression over the exchange; the output is its text, which compiles. */
export function expression() {
  return parsedText(
    (text) => {
      checkExpression(text);
      return text;
    },
    {
      what: "a CEL expression",
      hint: "write it like identity.claims.tier == 'free'",
      sample: "identity.claims.tier == 'free'",
    },
  );
}
