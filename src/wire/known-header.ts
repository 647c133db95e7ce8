// HOT
/**
 * Field names the gateway itself acts on get a small number while they are parsed, so that no later
 * step compares strings. Everything else has the id OTHER and is passed along untouched.
 */

export const OTHER = 0;
export const HOST = 1;
export const CONNECTION = 2;
export const CONTENT_LENGTH = 3;
export const TRANSFER_ENCODING = 4;
export const UPGRADE = 5;
export const EXPECT = 6;
export const TE = 7;
export const TRAILER = 8;
export const KEEP_ALIVE = 9;
export const PROXY_CONNECTION = 10;
export const PROXY_AUTHORIZATION = 11;
export const PROXY_AUTHENTICATE = 12;
export const HTTP2_SETTINGS = 13;
export const FORWARDED = 14;
export const X_FORWARDED_FOR = 15;
export const X_FORWARDED_PROTO = 16;
export const X_FORWARDED_HOST = 17;
export const X_FORWARDED_PORT = 18;
export const VIA = 19;
export const X_REQUEST_ID = 20;
export const COOKIE = 21;
export const CONTENT_TYPE = 22;
export const USER_AGENT = 23;
export const REFERER = 24;
export const AUTHORIZATION = 25;
export const DATE = 26;
export const SERVER = 27;
export const SET_COOKIE = 28;
export const LOCATION = 29;
export const ORIGIN = 30;
export const X_REAL_IP = 31;

const NAMES = [
  "",
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "expect",
  "te",
  "trailer",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "http2-settings",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "via",
  "x-request-id",
  "cookie",
  "content-type",
  "user-agent",
  "referer",
  "authorization",
  "date",
  "server",
  "set-cookie",
  "location",
  "origin",
  "x-real-ip",
] as const;

const CODES: Uint8Array[] = [];
const BY_NAME = new Map<string, number>();
/**
 * The one known name that has a given length, first letter and last letter but one. `place` spreads
 * the names so that no two fall together; a name that is not known rarely falls on one that is.
 */
const SLOTS = new Uint8Array(1024);

function place(length: number, first: number, late: number): number {
  return ((length << 5) ^ ((first & 31) << 2) ^ (late & 31) ^ ((late & 31) << 7)) & 1023;
}

for (let id = 0; id < NAMES.length; id++) {
  const codes = Uint8Array.from(Buffer.from(NAMES[id]!, "latin1"));
  CODES.push(codes);
  if (id === 0) continue;
  BY_NAME.set(NAMES[id]!, id);
  const slot = place(codes.length, codes[0]!, codes[codes.length - 2]!);
  if (SLOTS[slot] !== 0) throw new Error(`${NAMES[id]} falls on ${NAMES[SLOTS[slot]!]}`);
  SLOTS[slot] = id;
}

/** The id of a field name given in lower case, OTHER if the gateway does not act on it. Cold path. */
export function knownHeaderId(name: string): number {
  return BY_NAME.get(name) ?? OTHER;
}

export function knownHeaderName(id: number): string {
  return NAMES[id] ?? "";
}

/** The id of the token at `bytes[start, end)`. Letters are folded with one OR; tokens make that exact. */
export function classifyHeader(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 2) return OTHER;
  const id = SLOTS[place(length, bytes[start]!, bytes[end - 2]!)]!;
  if (id === OTHER) return OTHER;
  const codes = CODES[id]!;
  if (codes.length !== length) return OTHER;
  for (let at = 0; at < length; at++) {
    if ((bytes[start + at]! | 0x20) !== codes[at]) return compareShadow(bytes, start, codes);
  }
  return id;
}

/**
 * What `classifyHeader` says of a name that differs from a known one by underscores for hyphens only.
 * To CGI and its descendants `Content_Length` is Content-Length and `X_Forwarded_For` is what the
 * gateway itself says: such a field stands in for one that is checked or set here, and is dropped.
 */
export const SHADOW = 255;

function compareShadow(bytes: Uint8Array, start: number, codes: Uint8Array): number {
  for (let at = 0; at < codes.length; at++) {
    const byte = bytes[start + at]!;
    const code = codes[at]!;
    if ((byte | 0x20) !== code && (byte !== UNDERSCORE || code !== HYPHEN)) return OTHER;
  }
  return SHADOW;
}

const UNDERSCORE = 0x5f;
const HYPHEN = 0x2d;

/** The same for a name in lower case. */
export function isShadowName(name: string): boolean {
  return name.indexOf("_") >= 0 && BY_NAME.has(name.replaceAll("_", "-"));
}

/**
 * Hop-by-hop fields, RFC 9110 section 7.6.1, that are never passed on. Proxy-Authenticate and
 * Proxy-Authorization are addressed to the next proxy, which here is the gateway.
 */
export const HOP_BY_HOP = new Uint8Array(NAMES.length);
for (const id of [
  CONNECTION,
  TRANSFER_ENCODING,
  UPGRADE,
  TE,
  KEEP_ALIVE,
  PROXY_CONNECTION,
  PROXY_AUTHORIZATION,
  PROXY_AUTHENTICATE,
  HTTP2_SETTINGS,
]) {
  HOP_BY_HOP[id] = 1;
}
