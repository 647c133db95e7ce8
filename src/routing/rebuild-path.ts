/**
 * The slow half of path normalisation, for the few paths that are not plainly normal: respells
 * single characters, then removes segments. Linear in the length of the path.
 */
import {
  PATH_BROKEN_ESCAPE,
  PATH_CONTROL_CHARACTER,
  PATH_FORBIDDEN_CHARACTER,
} from "./path-fault.ts";

const PERCENT = 0x25;

/** unreserved, RFC 3986 section 2.3: means the same encoded and raw, so it is written raw. */
const UNRESERVED = charactersOf(/[A-Za-z0-9\-._~]/);

/** What a path may hold raw: pchar without percent, and the slash (RFC 3986 section 3.3). */
const RAW = charactersOf(/[A-Za-z0-9\-._~!$&'()*+,;=:@/]/);

function charactersOf(pattern: RegExp): Uint8Array {
  const bits = new Uint8Array(256);
  for (let code = 0; code < 128; code++) {
    bits[code] = pattern.test(String.fromCharCode(code)) ? 1 : 0;
  }
  return bits;
}

/** Whether a path can hold the character as it is. */
export function standsRaw(code: number): boolean {
  return RAW[code] === 1;
}

/**
 * The path with every character in its one spelling, or the fault for which it is refused.
 *
 * Raw bytes that a URI cannot hold (such as `|`, a backslash, or UTF-8) are percent-encoded rather
 * than refused, because browsers and curl do send them. Encoded reserved characters stay encoded:
 * `%3B` and `;` are two different things (RFC 3986 section 2.2).
 */
export function respellBytes(raw: string): string | number {
  let path = "";
  let keptFrom = 0;
  for (let index = 0; index < raw.length; index++) {
    const code = raw.charCodeAt(index);
    if (standsRaw(code)) continue;
    const escaped = code === PERCENT;
    const byte = escaped ? escapedByte(raw, index) : code;
    if (byte < 0) return PATH_BROKEN_ESCAPE;
    if (byte <= 0x20 || byte === 0x7f) {
      // An encoded space is an ordinary part of names; a raw one would end the request target.
      if (!(escaped && byte === 0x20)) return PATH_CONTROL_CHARACTER;
    }
    if (!escaped && (code === 0x23 || code === 0x3f || code > 255)) return PATH_FORBIDDEN_CHARACTER;
    path += raw.slice(keptFrom, index);
    path += UNRESERVED[byte] === 1 ? String.fromCharCode(byte) : percentEncoded(byte);
    if (escaped) index += 2;
    keptFrom = index + 1;
  }
  return path + raw.slice(keptFrom);
}

/** The byte that the three characters at `index` stand for, -1 when they are no escape. */
function escapedByte(raw: string, index: number): number {
  const digits = raw.slice(index + 1, index + 3);
  return /^[0-9A-Fa-f]{2}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}

function percentEncoded(byte: number): string {
  return (byte < 16 ? "%0" : "%") + byte.toString(16).toUpperCase();
}

/**
 * Merges slashes, then removes dot segments (RFC 3986 section 5.2.4). Returns undefined when they
 * lead above the root: what such a path was meant to reach is a guess, and guesses differ.
 */
export function removeDotSegments(path: string): string | undefined {
  const kept: string[] = [];
  let start = 1;
  let endsInDirectory = false;
  while (start <= path.length) {
    const slash = path.indexOf("/", start);
    const end = slash === -1 ? path.length : slash;
    const segment = path.slice(start, end);
    endsInDirectory = segment === "" || segment === "." || segment === "..";
    if (segment === "..") {
      if (kept.pop() === undefined) return undefined;
    } else if (!endsInDirectory) {
      kept.push(segment);
    }
    start = end + 1;
  }
  if (kept.length === 0) return "/";
  return "/" + kept.join("/") + (endsInDirectory ? "/" : "");
}

// Tomcat, Jetty and others cut path parameters off before they resolve dot segments, so `/..;x/` is
// `/../` to them, and `/;x/` is `//`. Services that decode `%2F` early see `/..%2F` as `/../`.
const HIDDEN = /(?:%2F|%5C)\.{1,2}(?:$|\/|;|%2F|%5C|%3B)|\/\.{1,2}(?:;|%2F|%5C|%3B)|\/;[^/]*\//;

/** Whether a path, respelled, has a dot segment or an empty one that only some servers see. */
export function hidesDotSegment(path: string): boolean {
  return HIDDEN.test(path);
}

const DOTTED = /(?:^|%2F|%5C)\.{1,2}(?:$|;|%2F|%5C|%3B)|^;/;

/** Whether a part of a segment would be, or hide, a dot segment if it stood between slashes. */
export function wouldBeDotSegment(part: string): boolean {
  return DOTTED.test(part);
}

const HIDDEN_PARENT = /(?:\/|%2F|%5C)\.\.(?:$|\/|;|%2F|%5C|%3B)/;

/** Whether the path has a `..` that leads up, at least in the eyes of some service. */
export function hidesParent(path: string): boolean {
  return HIDDEN_PARENT.test(path);
}

/** Whether the path may have a slash in the eyes of a service that decodes it; respelled paths only. */
export function hasEncodedSlash(path: string): boolean {
  return path.includes("%2F") || path.includes("%5C");
}
