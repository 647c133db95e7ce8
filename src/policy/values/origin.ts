import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

const HINT = "write it like https://app.example.com, without a path";

/** An origin of a page as browsers write it: lower case, without the scheme's own port (RFC 6454 6.2). */
export function parseOrigin(written: string): string {
  const url = URL.parse(written);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new Refusal(`${JSON.stringify(written)} is not an origin`, HINT);
  }
  // What a wildcard would mean is not for a list that is compared with what browsers send.
  if (url.hostname.includes("*")) throw new Refusal(`${written} holds a wildcard`, HINT);
  const rest = written.slice(url.protocol.length).replace(/^\/\/[^/?#@]+/, "");
  if (rest !== "") throw new Refusal(`${JSON.stringify(written)} is more than an origin`, HINT);
  return url.origin;
}

/** Schema of an origin: scheme, host and perhaps a port. */
export function origin() {
  return parsedText(parseOrigin, {
    what: "an origin",
    hint: HINT,
    pattern: "^https?://[^/?#@*]+$",
    sample: "https://app.example.com",
  });
}
