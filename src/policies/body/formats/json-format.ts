import { BodyFlaw } from "../body-flaw.ts";
import { isMap, parseExactly, type Json } from "../json-value.ts";
import { charsetOf, decode } from "./charset.ts";
import type { Format } from "./format.ts";
import { locateJsonFlaw } from "./locate-json-flaw.ts";
import { scanJson } from "./scan-json.ts";

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
  const { isTooDeep, memberCount, hasLongNumbers } = scanJson(text);
  if (isTooDeep) throw new BodyFlaw("malformed", "too-deep", "The body is nested too deeply.");
  let value: Json;
  try {
    value = hasLongNumbers ? parseExactly(text) : (JSON.parse(text) as Json);
  } catch {
    throw flawAt("not-json", "The body is not JSON", text);
  }
  // The parser keeps one of several members with one name, so that some are missing then.
  if (countMembers(value, text) !== memberCount) {
    throw flawAt("doubled-name", "A map of the body has a name twice", text);
  }
  return value;
}

function flawAt(code: string, what: string, text: string): BodyFlaw {
  return new BodyFlaw("malformed", code, `${what}: ${locateJsonFlaw(text)}.`);
}

function countMembers(value: Json, text: string): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const one of value) if (typeof one === "object") count += countMembers(one, text);
  } else if (isMap(value)) {
    for (const name in value) {
      if (name === "__proto__") {
        throw flawAt("reserved-name", "A name of the body is reserved", text);
      }
      count++;
      const one = value[name]!;
      if (typeof one === "object") count += countMembers(one, text);
    }
  }
  return count;
}
