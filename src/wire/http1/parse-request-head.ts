// HOT
import { CR, HTAB, LF, REQUEST_TARGET, SP, TOKEN } from "../../base/byte-class.ts";
import { latin1Slice } from "../../base/latin1.ts";
import type { Fields } from "../fields.ts";
import {
  CONNECTION,
  CONTENT_LENGTH,
  EXPECT,
  HOST,
  OTHER,
  TE,
  TRANSFER_ENCODING,
  UPGRADE,
} from "../known-header.ts";
import { parseContentLength } from "./content-length.ts";
import {
  OPTION_CLOSE,
  OPTION_KEEP_ALIVE,
  OPTION_REFUSED,
  OPTION_UPGRADE,
  readConnectionOptions,
} from "./connection-options.ts";
import { parseFields } from "./parse-fields.ts";
import {
  BAD_CODING,
  BAD_CONNECTION,
  BAD_LENGTH,
  BAD_METHOD,
  BAD_START_LINE,
  BAD_TARGET,
  BAD_VERSION,
  BARE_CR,
  BARE_LF,
  CODING_IN_HTTP_1_0,
  CODING_NOT_SUPPORTED,
  HEAD_TOO_LARGE,
  HOST_DOUBLED,
  HOST_MISSING,
  HTTP2_PREFACE,
  INCOMPLETE,
  LENGTH_AND_CODING,
  LENGTH_DOUBLED,
  NO_VERSION,
  TARGET_TOO_LONG,
  VERSION_NOT_SUPPORTED,
} from "./refusal.ts";
import { NO_LENGTH } from "./request-head.ts";
import type { RequestHead } from "./request-head.ts";

/** Bounds on a head, all in bytes but the count. */
export interface HeadLimits {
  headBytesMax: number;
  uriBytesMax: number;
  fieldCountMax: number;
}

export const METHOD_BYTES_MAX = 32;

/**
 * Parses a whole request head (RFC 9112 sections 2 to 6) from `bytes[start, end)`.
 *
 * @returns the position after the head, INCOMPLETE, or a refusal (see parse-fields.ts).
 */
export function parseRequestHead(
  bytes: Buffer,
  start: number,
  end: number,
  head: RequestHead,
  limits: HeadLimits,
): number {
  // A single empty line before the request is forgiven, RFC 9112 section 2.2.
  if (end - start >= 2 && bytes[start] === CR && bytes[start + 1] === LF) start += 2;
  let position = start;
  while (position < end && TOKEN[bytes[position]!] === 1) position++;
  if (position - start > METHOD_BYTES_MAX) return BAD_METHOD;
  if (position === end) return end - start > limits.headBytesMax ? HEAD_TOO_LARGE : INCOMPLETE;
  if (position === start) {
    if (bytes[position] === CR && position + 1 === end) return INCOMPLETE;
    return bytes[position] === LF ? BARE_LF : BAD_METHOD;
  }
  if (bytes[position] !== SP) return refuseMethod(bytes[position]!);
  const methodEnd = position++;
  const targetStart = position;
  while (position < end && REQUEST_TARGET[bytes[position]!] === 1) position++;
  if (position - targetStart > limits.uriBytesMax) return TARGET_TOO_LONG;
  if (position === end) return INCOMPLETE;
  if (position === targetStart) return BAD_START_LINE;
  if (bytes[position] !== SP) return refuseTarget(bytes[position]!);
  const targetEnd = position++;
  if (position + 10 > end) return checkPartialVersion(bytes, position, end);
  const minor = parseVersion(bytes, position);
  if (minor < 0) return isPreface(bytes, start, position) ? HTTP2_PREFACE : minor;
  position += 10;

  const fields = head.fields;
  fields.clear();
  const headEnd = parseFields(bytes, position, end, start, fields, limits.fieldCountMax);
  if (headEnd < 0) {
    return headEnd === INCOMPLETE && end - start > limits.headBytesMax ? HEAD_TOO_LARGE : headEnd;
  }
  if (headEnd - start > limits.headBytesMax) return HEAD_TOO_LARGE;
  fields.text = latin1Slice(bytes, start, headEnd);
  head.method = methodName(bytes, start, methodEnd, fields.text);
  head.targetStart = targetStart - start;
  head.targetEnd = targetEnd - start;
  head.versionMinor = minor;
  const refusal = interpretRequestFields(head);
  return refusal === 0 ? headEnd : refusal;
}

function refuseMethod(byte: number): number {
  if (byte === LF) return BARE_LF;
  return byte === CR || byte === HTAB ? BAD_START_LINE : BAD_METHOD;
}

function refuseTarget(byte: number): number {
  if (byte === LF) return BARE_LF;
  return byte === CR ? NO_VERSION : BAD_TARGET;
}

/** "HTTP/1.0" or "HTTP/1.1" and CRLF at `position`; ten bytes are there. */
function parseVersion(bytes: Uint8Array, position: number): number {
  if (
    bytes[position] !== 0x48 ||
    bytes[position + 1] !== 0x54 ||
    bytes[position + 2] !== 0x54 ||
    bytes[position + 3] !== 0x50 ||
    bytes[position + 4] !== 0x2f
  ) {
    return BAD_START_LINE;
  }
  const minor = bytes[position + 7]! - 0x30;
  if (bytes[position + 5] !== 0x31 || bytes[position + 6] !== 0x2e || minor < 0 || minor > 1) {
    return isVersion(bytes, position) ? VERSION_NOT_SUPPORTED : BAD_VERSION;
  }
  if (bytes[position + 8] !== CR) return bytes[position + 8] === LF ? BARE_LF : BAD_START_LINE;
  return bytes[position + 9] === LF ? minor : BARE_CR;
}

function isVersion(bytes: Uint8Array, position: number): boolean {
  const major = bytes[position + 5]!;
  const minor = bytes[position + 7]!;
  return (
    major >= 0x30 && major <= 0x39 && bytes[position + 6] === 0x2e && minor >= 0x30 && minor <= 0x39
  );
}

const VERSION_PREFIX = [0x48, 0x54, 0x54, 0x50, 0x2f];

/** Refuses early what can no longer become a version, so that garbage is not waited on. */
function checkPartialVersion(bytes: Uint8Array, position: number, end: number): number {
  for (let at = 0; at < VERSION_PREFIX.length && position + at < end; at++) {
    if (bytes[position + at] !== VERSION_PREFIX[at]) return BAD_START_LINE;
  }
  for (let at = position + VERSION_PREFIX.length; at < end; at++) {
    if (bytes[at] === LF && bytes[at - 1] !== CR) return BARE_LF;
  }
  return INCOMPLETE;
}

/** "PRI * HTTP/2.0": an HTTP/2 client that knows beforehand, RFC 9113 section 3.3. */
function isPreface(bytes: Uint8Array, start: number, version: number): boolean {
  return (
    version === start + 6 &&
    bytes[start] === 0x50 &&
    bytes[start + 1] === 0x52 &&
    bytes[start + 2] === 0x49 &&
    bytes[start + 4] === 0x2a &&
    bytes[version + 5] === 0x32
  );
}

/** Common methods come back as constants, so that later comparisons are of pointers. */
function methodName(bytes: Uint8Array, start: number, end: number, text: string): string {
  const first = bytes[start];
  switch (end - start) {
    case 3:
      if (first === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54) return "GET";
      if (first === 0x50 && bytes[start + 1] === 0x55 && bytes[start + 2] === 0x54) return "PUT";
      break;
    case 4:
      if (first === 0x50 && text.startsWith("POST")) return "POST";
      if (first === 0x48 && text.startsWith("HEAD")) return "HEAD";
      break;
    case 5:
      if (first === 0x50 && text.startsWith("PATCH")) return "PATCH";
      break;
    case 6:
      if (first === 0x44 && text.startsWith("DELETE")) return "DELETE";
      break;
    case 7:
      if (first === 0x4f && text.startsWith("OPTIONS")) return "OPTIONS";
      if (first === 0x43 && text.startsWith("CONNECT")) return "CONNECT";
      break;
    default:
      break;
  }
  return text.slice(0, end - start);
}

const KNOWN_CODINGS = /^(?:(?:gzip|x-gzip|deflate|compress|x-compress)[ \t]*,[ \t]*)+chunked$/i;

/** A list that other software may have meant honestly is told apart from an attempt to confuse. */
function refuseCoding(fields: Fields, index: number): number {
  return KNOWN_CODINGS.test(fields.valueAt(index)) ? CODING_NOT_SUPPORTED : BAD_CODING;
}

/**
 * An upgrade to HTTP/2 is between neighbours (RFC 9113 section 3.1 has dropped it). A service that took
 * it would speak past the gateway's routes and policies on the same connection.
 */
function asksForHttp2(fields: Fields, index: number): boolean {
  const protocols = fields.valueAt(index).toLowerCase();
  return protocols.includes("h2c") || protocols.includes("http/");
}

/**
 * Reads what the known fields say of the message: where its body ends, whether the connection stays,
 * which host is meant. Shared with HTTP/2 requests, which arrive here as lines of text too.
 *
 * @returns 0 or a refusal.
 */
export function interpretRequestFields(head: RequestHead): number {
  const { fields } = head;
  head.hostIndex = -1;
  head.contentLength = NO_LENGTH;
  head.chunked = false;
  head.keepAlive = head.versionMinor >= 1;
  head.upgradeIndex = -1;
  head.expectContinue = false;
  head.acceptsTrailers = false;
  let options = 0;
  let upgradeIndex = -1;
  for (let index = 0; index < fields.count; index++) {
    switch (fields.ids[index]) {
      case OTHER:
        break;
      case HOST:
        if (head.hostIndex >= 0) return HOST_DOUBLED;
        head.hostIndex = index;
        break;
      case CONTENT_LENGTH:
        if (head.contentLength !== NO_LENGTH) return LENGTH_DOUBLED;
        head.contentLength = parseContentLength(fields, index);
        if (head.contentLength < 0) return BAD_LENGTH;
        break;
      case TRANSFER_ENCODING:
        if (head.versionMinor === 0) return CODING_IN_HTTP_1_0;
        if (head.chunked) return BAD_CODING;
        if (fields.valueAt(index).toLowerCase() !== "chunked") return refuseCoding(fields, index);
        head.chunked = true;
        break;
      case CONNECTION:
        options |= readConnectionOptions(fields, index);
        break;
      case UPGRADE:
        upgradeIndex = upgradeIndex < 0 ? index : upgradeIndex;
        break;
      case EXPECT:
        head.expectContinue = fields.valueAt(index).toLowerCase() === "100-continue";
        break;
      case TE:
        if (fields.valueAt(index).toLowerCase().includes("trailers")) head.acceptsTrailers = true;
        break;
      default:
        break;
    }
  }
  if (head.chunked && head.contentLength !== NO_LENGTH) return LENGTH_AND_CODING;
  if (head.hostIndex < 0 && head.versionMinor >= 1) return HOST_MISSING;
  if (options === 0) return 0;
  if ((options & OPTION_REFUSED) !== 0) return BAD_CONNECTION;
  if ((options & OPTION_CLOSE) !== 0) head.keepAlive = false;
  else if ((options & OPTION_KEEP_ALIVE) !== 0) head.keepAlive = true;
  if (
    (options & OPTION_UPGRADE) !== 0 &&
    upgradeIndex >= 0 &&
    !asksForHttp2(fields, upgradeIndex)
  ) {
    head.upgradeIndex = upgradeIndex;
  }
  return 0;
}
