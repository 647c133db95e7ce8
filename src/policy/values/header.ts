import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";
import { text } from "./text.ts";

const HINT = "write it like X-Request-Id";
/** RFC 9110 5.1: a token. */
const NAME = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const NAME_ONLY = new RegExp(`^${NAME}$`);
/** RFC 9110 5.5: visible characters with blanks between, or nothing. */
const VALUE = /^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$|^$/;

/**
 * Headers that say where a message ends, whom it is for, or what becomes of the connection. The gateway
 * reads and writes them itself; one that is set besides could be read otherwise by the next server.
 */
const GATEWAYS_OWN = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The name of a header in lower case. */
export function parseHeaderName(written: string): string {
  if (NAME_ONLY.test(written)) return written.toLowerCase();
  throw new Refusal(`${JSON.stringify(written)} is not a header name`, HINT);
}

/** The same for a header that is to be set; those that are the gateway's own are refused. */
export function parseHeaderToSet(written: string): string {
  const name = parseHeaderName(written);
  if (!GATEWAYS_OWN.has(name)) return name;
  throw new Refusal(`${written} cannot be set`, "the gateway writes it");
}

/** Schema of a header that is read; the output is in lower case, as `Exchange.header` wants it. */
export function headerName() {
  return parsedText(parseHeaderName, nameOptions);
}

/** Schema of a header that is set. */
export function headerToSet() {
  return parsedText(parseHeaderToSet, nameOptions);
}

/** Schema of what a header is set to. */
export function headerValue() {
  return text("a header's value").regex(VALUE, {
    error: "not a header value; no line breaks or control characters, no blanks at its ends",
  });
}

const nameOptions = {
  what: "a header name",
  hint: HINT,
  pattern: `^${NAME}$`,
  sample: "x-request-id",
};
