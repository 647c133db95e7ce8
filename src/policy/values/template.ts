import { parseTemplate } from "../template/parse-template.ts";
import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

const HINT = "write it like shop-{request.params.id}";

/**
 * Schema of a template over a request; the output is its text, for `compileTemplate`. Control characters
 * and an empty text are refused.
 */
export function requestTemplate() {
  return template(false);
}

/** The same over a request and its response. */
export function responseTemplate() {
  return template(true);
}

function template(hasResponse: boolean) {
  const parse = (written: string): string => {
    if (written === "") throw new Refusal("there is nothing in it");
    if (/\p{Cc}/u.test(written)) throw new Refusal("a control character or line break in it");
    parseTemplate(written, hasResponse);
    return written;
  };
  const sample = hasResponse ? "{response.status}" : "{request.params.id}";
  return parsedText(parse, { what: "a template", hint: HINT, sample });
}
