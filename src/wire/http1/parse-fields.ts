// HOT
import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from "../../base/byte-class.ts";
import type { Fields } from "../fields.ts";
import { OTHER, classifyHeader } from "../known-header.ts";

/** Result of a parser that needs more bytes. All refusals are smaller. */
export const INCOMPLETE = -1;
export const BAD_FIELD_NAME = -2;
export const BAD_FIELD_VALUE = -3;
export const BAD_LINE_END = -4;
export const TOO_MANY_FIELDS = -5;
export const FOLDED_FIELD = -6;
export const SPACE_BEFORE_COLON = -7;
export const BAD_START_LINE = -8;
export const BAD_VERSION = -9;
export const BAD_FRAMING = -10;
export const BAD_HOST = -11;
export const HEAD_TOO_LARGE = -12;
export const TARGET_TOO_LONG = -13;
export const BAD_CONNECTION = -14;
export const BAD_METHOD = -15;
export const HTTP2_PREFACE = -16;

/** What a refusal says to the client: what was wrong with its bytes, never what was in them. */
export function describeRefusal(code: number): string {
  switch (code) {
    case BAD_FIELD_NAME:
      return "a field name is not a token";
    case BAD_FIELD_VALUE:
      return "a field value holds a control character";
    case BAD_LINE_END:
      return "a line does not end with CRLF";
    case TOO_MANY_FIELDS:
      return "there are too many fields";
    case FOLDED_FIELD:
      return "a field line is folded";
    case SPACE_BEFORE_COLON:
      return "there is a space between a field name and the colon";
    case BAD_START_LINE:
      return "the start line is malformed";
    case BAD_VERSION:
      return "the protocol version is not supported";
    case BAD_FRAMING:
      return "the length of the body is not stated unambiguously";
    case BAD_HOST:
      return "the Host field is missing, doubled or malformed";
    case BAD_CONNECTION:
      return "the Connection field names a field that must pass";
    case BAD_METHOD:
      return "the method is not a token";
    default:
      return "the message is malformed";
  }
}

/**
 * Parses field lines from `position` up to and including the empty line (RFC 9112 section 5,
 * strict: CRLF only, no folding, no space before the colon). Offsets are stored relative to `origin`,
 * the byte at which the message's text begins.
 *
 * @returns the position after the empty line, INCOMPLETE, or a refusal.
 */
export function parseFields(
  bytes: Uint8Array,
  position: number,
  end: number,
  origin: number,
  fields: Fields,
  countMax: number,
): number {
  fields.linesStart = position - origin;
  for (;;) {
    const nameStart = position;
    while (position < end && TOKEN[bytes[position]!] === 1) position++;
    if (position === end) return INCOMPLETE;
    const nameEnd = position;
    if (nameEnd === nameStart) {
      if (bytes[position] !== CR) return refuseName(bytes[position]!, nameStart - origin, fields);
      if (position + 1 === end) return INCOMPLETE;
      if (bytes[position + 1] !== LF) return BAD_LINE_END;
      fields.linesEnd = position - origin;
      return position + 2;
    }
    if (bytes[position] !== COLON) {
      return bytes[position] === SP || bytes[position] === HTAB ? SPACE_BEFORE_COLON : BAD_FIELD_NAME;
    }
    position++;
    while (position < end && (bytes[position] === SP || bytes[position] === HTAB)) position++;
    const valueStart = position;
    while (position < end && FIELD_VALUE[bytes[position]!] === 1) position++;
    if (position + 1 >= end) {
      return position === end || bytes[position] === CR ? INCOMPLETE : refuseValue(bytes[position]!);
    }
    if (bytes[position] !== CR) return refuseValue(bytes[position]!);
    if (bytes[position + 1] !== LF) return BAD_LINE_END;
    let valueEnd = position;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) {
      valueEnd--;
    }
    position += 2;
    if (fields.count === countMax) return TOO_MANY_FIELDS;
    const id = nameEnd - nameStart < 2 ? OTHER : classifyHeader(bytes, nameStart, nameEnd);
    fields.push(id, nameStart - origin, nameEnd - origin, valueStart - origin, valueEnd - origin);
  }
}

function refuseName(byte: number, offset: number, fields: Fields): number {
  if (byte === LF) return BAD_LINE_END;
  if (byte === SP || byte === HTAB) return offset > fields.linesStart ? FOLDED_FIELD : BAD_FIELD_NAME;
  return BAD_FIELD_NAME;
}

function refuseValue(byte: number): number {
  return byte === LF ? BAD_LINE_END : BAD_FIELD_VALUE;
}
