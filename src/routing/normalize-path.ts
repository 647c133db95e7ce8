// HOT
/**
 * Path normalisation: gives every path one spelling before it is matched, so that what is matched
 * is what is forwarded, and two spellings of one path cannot reach two routes.
 *
 * A path that is normal already, as nearly every path is, is recognised in one scan and stays where
 * it is: no string is made.
 */
import {
  PATH_ABOVE_ROOT,
  PATH_FORBIDDEN_CHARACTER,
  PATH_HIDDEN_DOT_SEGMENT,
  PATH_NOT_ABSOLUTE,
  PATH_OK,
} from "./path-fault.ts";
import {
  hasEncodedSlash,
  hidesDotSegment,
  removeDotSegments,
  respellBytes,
  standsRaw,
} from "./rebuild-path.ts";

/**
 * A request's path after normalisation, as a range of a text; made once for a connection and
 * reused. Where the path was normal as sent, the text is the one that was given.
 */
export class NormalizedPath {
  /** The normal path is `text[start, end)`; after a refusal, the path as sent. */
  text: string;
  start: number;
  end: number;
  /** Where the query begins in the text that was given, after its `?`; -1 without one. */
  queryStart: number;
  /** `PATH_OK`, or why the path is refused: an index into `pathFaultText`. */
  fault: number;
  /**
   * The path has `%2F`, `%5C` or a backslash (now `%5C`), which some services read as a slash.
   * To be refused unless the service of the route takes raw paths.
   */
  encodedSlash: boolean;

  constructor() {
    this.text = "";
    this.start = 0;
    this.end = 0;
    this.queryStart = -1;
    this.fault = PATH_OK;
    this.encodedSlash = false;
  }

  /** Takes all that `other` has. Cold. */
  copy(other: NormalizedPath): void {
    this.text = other.text;
    this.start = other.start;
    this.end = other.end;
    this.queryStart = other.queryStart;
    this.fault = other.fault;
    this.encodedSlash = other.encodedSlash;
  }

  /** The path as a string of its own. */
  get path(): string {
    return this.text.slice(this.start, this.end);
  }
}

// The scan is a state machine over characters, a table row per state: one load a character, and the
// only branch is the way out. Rows are 256 wide; what is not listed goes to IRREGULAR.
const AFTER_SLASH = 0;
const IN_SEGMENT = 1;
const IRREGULAR = 2;
const AT_QUERY = 3;
const ROW_BITS = 8;

const NEXT = new Uint8Array(2 << ROW_BITS).fill(IRREGULAR);
for (let code = 0; code < 128; code++) {
  if (!standsRaw(code)) continue;
  NEXT[(IN_SEGMENT << ROW_BITS) + code] = IN_SEGMENT;
  // A leading dot may be a dot segment (or `.well-known`), a leading `;` an empty name.
  if (code !== 0x2e && code !== 0x3b) NEXT[(AFTER_SLASH << ROW_BITS) + code] = IN_SEGMENT;
}
NEXT[(IN_SEGMENT << ROW_BITS) + 0x2f] = AFTER_SLASH;
NEXT[(AFTER_SLASH << ROW_BITS) + 0x2f] = IRREGULAR;
NEXT[(IN_SEGMENT << ROW_BITS) + 0x3f] = AT_QUERY;
NEXT[(AFTER_SLASH << ROW_BITS) + 0x3f] = AT_QUERY;

/**
 * Normalises the path of a request target, `text[start, end)` as on the wire (latin1): a path and,
 * after a `?`, a query, which is left alone.
 *
 * Unreserved characters lose their percent encoding, hexadecimal digits become upper case, bytes
 * that a URI cannot hold raw are percent-encoded, `//` is merged and dot segments are removed
 * (RFC 3986 section 6.2.2). Idempotent.
 *
 * @returns false when the path is to be refused with 400; `result.fault` says why.
 */
export function normalizeTarget(
  text: string,
  start: number,
  end: number,
  result: NormalizedPath,
): boolean {
  result.text = text;
  result.start = start;
  result.end = end;
  result.queryStart = -1;
  result.fault = PATH_OK;
  result.encodedSlash = false;
  if (start >= end || text.charCodeAt(start) !== 0x2f) {
    result.fault = PATH_NOT_ABSOLUTE;
    return false;
  }
  let state = AFTER_SLASH;
  for (let index = start + 1; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code > 127) return normalizeSlowly(result);
    state = NEXT[(state << ROW_BITS) + code]!;
    if (state >= IRREGULAR) {
      if (state === IRREGULAR) return normalizeSlowly(result);
      result.end = index;
      result.queryStart = index + 1;
      return true;
    }
  }
  return true;
}

/** Normalises a path that stands alone; a `?` in it is refused. See `normalizeTarget`. */
export function normalizePath(raw: string, result: NormalizedPath): boolean {
  if (!normalizeTarget(raw, 0, raw.length, result)) return false;
  if (result.queryStart === -1) return true;
  result.fault = PATH_FORBIDDEN_CHARACTER;
  return false;
}

function normalizeSlowly(result: NormalizedPath): boolean {
  const { text, start } = result;
  const mark = text.indexOf("?", start);
  if (mark !== -1 && mark < result.end) {
    result.end = mark;
    result.queryStart = mark + 1;
  }
  const respelled = respellBytes(text.slice(start, result.end));
  if (typeof respelled === "number") {
    result.fault = respelled;
    return false;
  }
  // Before segments are removed: a service that takes raw paths is sent the hidden ones too.
  if (hidesDotSegment(respelled)) {
    result.fault = PATH_HIDDEN_DOT_SEGMENT;
    return false;
  }
  const path = removeDotSegments(respelled);
  if (path === undefined) {
    result.fault = PATH_ABOVE_ROOT;
    return false;
  }
  result.encodedSlash = hasEncodedSlash(respelled);
  result.text = path;
  result.start = 0;
  result.end = path.length;
  return true;
}
