import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";

const HINT = "write a name like eu-1, of letters, digits, dots, dashes and underscores";

/** Schema of the name of a zone; empty for none, which is what a variable gives that is not set. */
export function zone() {
  return parsedText(
    (name) => {
      if (/^[A-Za-z0-9._-]{0,100}$/.test(name)) return name;
      throw new Refusal(`${JSON.stringify(name)} is not the name of a zone`, HINT);
    },
    { what: "the name of a zone", hint: HINT, pattern: "^[A-Za-z0-9._-]{0,100}$", sample: "eu-1" },
  );
}
