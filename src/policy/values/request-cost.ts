import { z } from "zod";
import { checkExpression } from "../expressions/compile-expression.ts";
import { expected } from "./expected.ts";
import { parsedText } from "./parsed-text.ts";

const HINT = "write a number, or a CEL expression that gives one";

/** Schema of what a request counts: a number, or CEL that says it. `requestCost` makes a function of the output. */
export function requestCost() {
  return z.union(
    [
      z.int({ error: expected("a cost", HINT) }).nonnegative(),
      parsedText(parseCost, { what: "a cost", hint: HINT }),
    ],
    { error: expected("a cost", HINT) },
  );
}

function parseCost(written: string): number | string {
  if (/^\d{1,12}$/.test(written)) return Number(written);
  checkExpression(written);
  return written;
}
