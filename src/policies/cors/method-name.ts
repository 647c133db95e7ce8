import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Browsers make upper case of these alone (Fetch standard, "normalize a method"). */
const KNOWN = /^(?:get|head|post|put|patch|delete|options)$/;

function parseMethodName(written: string): string {
  if (!TOKEN.test(written)) throw new Refusal(`${JSON.stringify(written)} is not a method`);
  if (!KNOWN.test(written)) return written;
  const hint = `write ${written.toUpperCase()}`;
  throw new Refusal(`methods are case-sensitive: ${written} is none that servers know`, hint);
}

/** Schema of a method, or `*` for any. */
export function methodName() {
  const hint = "write it like PATCH";
  return parsedText(parseMethodName, { what: "a method", hint, sample: "PATCH" });
}
