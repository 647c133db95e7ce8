import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

/** RFC 6265 4.1.1 cookie-name, RFC 9110 5.6.2 token. */
const COOKIE_NAME = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
/** RFC 6265 4.1.1 path-value, of which browsers heed only what begins with a slash. */
const COOKIE_PATH = "^/[ -:<-~]*$";

/** Schema of a cookie's name; names are case-sensitive. */
export function cookieName() {
  return matching(COOKIE_NAME, { what: "a cookie name", hint: "letters, digits and -_. only" });
}

/** Schema of the path below which a browser sends a cookie. */
export function cookiePath() {
  const hint = "begin with a slash, without semicolons";
  return matching(COOKIE_PATH, { what: "a cookie's path", hint });
}

function matching(pattern: string, { what, hint }: { what: string; hint: string }) {
  const whole = new RegExp(pattern);
  return parsedText(
    (written) => {
      if (whole.test(written)) return written;
      throw new Refusal(`${JSON.stringify(written)} is not ${what}`);
    },
    { what, hint, pattern },
  );
}
