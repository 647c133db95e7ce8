// HOT
import { FIELD_VALUE, HTAB, SP, TOKEN } from "../../base/byte-class.ts";
import { latin1Write } from "../../base/latin1.ts";
import type { Fields } from "../fields.ts";
import {
  BAD_FIELD_NAME,
  BAD_FIELD_VALUE,
  BAD_HTTP2_FIELDS,
  HEAD_TOO_LARGE,
  HOST_DOUBLED,
  TOO_MANY_FIELDS,
} from "../http1/refusal.ts";
import type { HeadLimits } from "../http1/parse-request-head.ts";
import {
  CONNECTION,
  COOKIE,
  HOST,
  HTTP2_SETTINGS,
  KEEP_ALIVE,
  PROXY_CONNECTION,
  TE,
  TRANSFER_ENCODING,
  UPGRADE,
  isShadowName,
  knownHeaderId,
} from "../known-header.ts";

const PSEUDO = 0x3a;

/** Fields that belong to an HTTP/1 connection: with one of them a message is malformed, RFC 9113 section 8.2.2. */
const CONNECTION_SPECIFIC =
  (1 << CONNECTION) |
  (1 << TRANSFER_ENCODING) |
  (1 << UPGRADE) |
  (1 << KEEP_ALIVE) |
  (1 << PROXY_CONNECTION) |
  (1 << HTTP2_SETTINGS);

/** The text of the head being read, as bytes; it grows to the largest head ever read. */
let scratch = Buffer.allocUnsafeSlow(16 * 1024);

/**
 * Turns a header list of node:http2 (`[name, value, name, value, ...]`, pseudo-header fields first) into
 * the text that the same head would have in HTTP/1.1, so that everything behind sees one form only.
 *
 *     GET /a HTTP/1.1\r\n host: a.example\r\n accept: text/html\r\n \r\n
 *     `start`             `authority`         the fields
 *
 * Cookie fields become one (RFC 9113 section 8.2.3). Where each name and value lies is known while the text is put
 * together, so a value that holds CRLF cannot turn into a line of its own; it is refused all the same.
 *
 * @param start the start line and whatever lines go before the fields, each ended by CRLF, or "".
 * @param linesStart where in `start` the field lines begin.
 * @param authority of a request: a Host field must say the same. "" if there is none.
 * @returns 0 or a refusal; `fields` holds the result, of which `seen` and `removed` are up to date.
 */
export function readFields(
  raw: readonly string[],
  fields: Fields,
  start: string,
  linesStart: number,
  authority: string,
  limits: HeadLimits,
): number {
  fields.clear();
  fields.linesStart = linesStart;
  let text = start;
  if (authority !== "") {
    text += "host: " + authority + "\r\n";
    push(fields, HOST, start.length, 4, authority.length);
  }
  let cookies = "";
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!;
    if (name.charCodeAt(0) === PSEUDO) continue;
    if (isShadowName(name)) continue;
    const value = trimmed(raw[index + 1]!);
    const id = knownHeaderId(name);
    if ((CONNECTION_SPECIFIC & (1 << id)) !== 0) return BAD_HTTP2_FIELDS;
    if (id === TE && value.toLowerCase() !== "trailers") return BAD_HTTP2_FIELDS;
    if (id === COOKIE) {
      cookies = cookies === "" ? value : cookies + "; " + value;
      continue;
    }
    if (id === HOST && authority !== "") {
      if (value.toLowerCase() !== authority.toLowerCase()) return HOST_DOUBLED;
      continue;
    }
    if (fields.count === limits.fieldCountMax) return TOO_MANY_FIELDS;
    push(fields, id, text.length, name.length, value.length);
    text += name + ": " + value + "\r\n";
  }
  if (cookies !== "") {
    if (fields.count === limits.fieldCountMax) return TOO_MANY_FIELDS;
    push(fields, COOKIE, text.length, 6, cookies.length);
    text += "cookie: " + cookies + "\r\n";
  }
  if (text.length > limits.headBytesMax) return HEAD_TOO_LARGE;
  fields.linesEnd = text.length;
  fields.text = text + "\r\n";
  return checkBytes(fields);
}

function push(
  fields: Fields,
  id: number,
  at: number,
  nameLength: number,
  valueLength: number,
): void {
  const valueStart = at + nameLength + 2;
  fields.push(id, at, at + nameLength, valueStart, valueStart + valueLength);
}

/** White space around a value is no part of it; a peer that sends some is forgiven as in HTTP/1.1. */
function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return end - start === value.length ? value : value.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}

/**
 * nghttp2 has looked at names and values already; the gateway does not stand on that alone, since what
 * passes here is sent to services as lines.
 */
function checkBytes(fields: Fields): number {
  const bytes = textBytes(fields.text);
  const { spans, count } = fields;
  for (let index = 0; index < count; index++) {
    const at = index << 2;
    const nameEnd = spans[at + 1]!;
    let position = spans[at]!;
    if (position === nameEnd) return BAD_FIELD_NAME;
    for (; position < nameEnd; position++) {
      const byte = bytes[position]!;
      if (TOKEN[byte] !== 1 || (byte >= 0x41 && byte <= 0x5a)) return BAD_FIELD_NAME;
    }
    const valueEnd = spans[at + 3]!;
    for (position = spans[at + 2]!; position < valueEnd; position++) {
      if (FIELD_VALUE[bytes[position]!] !== 1) return BAD_FIELD_VALUE;
    }
  }
  return 0;
}

function textBytes(text: string): Buffer {
  if (text.length > scratch.length) scratch = Buffer.allocUnsafeSlow(text.length * 2);
  latin1Write(scratch, text, 0);
  return scratch;
}

/** The bytes of the text that `readFields` made last. */
export function bytesRead(): Buffer {
  return scratch;
}
