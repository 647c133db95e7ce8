import { MemberCount } from "../../../base/member-count.ts";
import { scanJson } from "../../../base/scan-json.ts";
import { BodyFlaw } from "../body-flaw.ts";
import { parseExactly, type Json } from "../json-value.ts";
import { charsetOf, decode } from "./charset.ts";
import { BODY_DEPTH_MAX, type Format } from "./format.ts";
import { locateJsonFlaw } from "./locate-json-flaw.ts";

/**
 * JSON (RFC 8259), read strictly: UTF-8, no name twice in one map, none that is `__proto__`, at most 64 levels.
 * Numbers of more digits than a double holds keep them.
 */
export const jsonFormat: Format = {
  mediaTypes: ["application/json", "*+json"],
  contentType: "application/json",

  read(bytes, contentType) {
    // RFC 8259 section 8.1: JSON between systems is UTF-8.
    if (charsetOf(contentType) === "latin1") {
      throw new BodyFlaw("unsupported", "charset", "JSON has to be sent as UTF-8.");
    }
    return parseJson(decode(bytes, "utf8"));
  },

  write: (value) => Buffer.from(JSON.stringify(value)),
};

/** @throws BodyFlaw */
export function parseJson(text: string): Json {
  const { isTooDeep, memberCount, hasLongNumbers } = scanJson(text, BODY_DEPTH_MAX);
  if (isTooDeep) throw new BodyFlaw("malformed", "too-deep", "The body is nested too deeply.");
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    throw flawAt("not-json", "The body is not JSON", text);
  }
  const { count, hasReservedName } = new MemberCount(value);
  if (hasReservedName) throw flawAt("reserved-name", "A name of the body is reserved", text);
  if (count !== memberCount) {
    throw flawAt("doubled-name", "A map of the body has a name twice", text);
  }
  return hasLongNumbers ? parseExactly(text) : value;
}

function flawAt(code: string, what: string, text: string): BodyFlaw {
  return new BodyFlaw("malformed", code, `${what}: ${locateJsonFlaw(text)}.`);
}
