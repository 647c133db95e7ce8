/** changeable-header: names of headers that a document may change, and why it may not change others. */
import { HeaderNames } from "../header-names.ts";
import { parseHeaderName } from "./header.ts";
import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

/** They say where a message ends, whom it is for, or what becomes of a connection. */
const FRAMING = [
  ...["connection", "content-length", "expect", "host", "http2-settings", "keep-alive"],
  ...["proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"],
];

/** What the gateway itself tells of the way a message has taken. */
const OF_THE_WAY = [
  ...["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port"],
  "x-forwarded-proto",
];

const NAME_HINT = "write it like X-Tenant";

/** Schema of the name of a header that is set, renamed or given; the output is in lower case. */
export function changeableHeader() {
  return parsedText(parseChangeable, {
    what: "a header name",
    hint: NAME_HINT,
    sample: "x-tenant",
  });
}

/** Schema of the name of a header, or with `*` at its end of several; the output is in lower case. */
export function headerPattern() {
  return parsedText(parsePattern, {
    what: "a header name",
    hint: "write it like X-Debug or X-Internal-*",
    sample: "x-internal-*",
  });
}

function parseChangeable(written: string): string {
  // It may stand in a name (RFC 9110 section 5.6.2), and nobody means that.
  if (written.includes("*"))
    throw new Refusal("a * in a name", "only remove takes several headers");
  const name = parseHeaderName(written);
  if (FRAMING.includes(name))
    throw new Refusal(`${written} cannot be changed`, "the gateway writes it");
  if (!OF_THE_WAY.includes(name)) return name;
  throw new Refusal(`${written} cannot be changed`, "the gateway writes it; see forwarding");
}

function parsePattern(written: string): string {
  if (!written.endsWith("*")) {
    if (written.includes("*")) throw new Refusal("a * within a name", "it stands at the end");
    return parseChangeable(written);
  }
  const beginning = written.slice(0, -1);
  if (beginning === "") throw new Refusal("* would take every header", "write how they begin");
  const pattern = `${parseHeaderName(beginning)}*`;
  const names = new HeaderNames([pattern]);
  const taken = [...FRAMING, ...OF_THE_WAY].find((name) => names.has(name, 0, name.length));
  if (taken === undefined) return pattern;
  throw new Refusal(`${written} would take ${taken}, which the gateway writes`, "write more of it");
}
