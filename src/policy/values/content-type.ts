import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = `[ \\t]*;[ \\t]*(${TOKEN})=(${TOKEN}|"[^"\\\\\\x00-\\x1f\\x7f-\\uffff]*")`;
const SHAPE = new RegExp(`^${TOKEN}/${TOKEN}(?:${PARAMETER})*$`);
const CHARSET = /;[ \t]*charset="?([^";]*)/i;

const HINT = "write it like text/xml or text/csv; header=present";

/** Schema of a Content-Type that is given to what is written, in UTF-8; the output is as it is written. */
export function contentType() {
  return parsedText(parse, { what: "a media type", hint: HINT, pattern: "^[^/*\\s]+/[^*]+$" });
}

function parse(written: string): string {
  // An asterisk may stand in a name, and nobody means that.
  if (!SHAPE.test(written) || written.includes("*")) {
    throw new Refusal(`${JSON.stringify(written)} is not one media type`, HINT);
  }
  const charset = CHARSET.exec(written)?.[1] ?? "utf-8";
  if (charset.toLowerCase() === "utf-8") return written;
  throw new Refusal(`${charset} is not what is written`, "drop it, or say charset=utf-8");
}
