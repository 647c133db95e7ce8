// HOT
import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from "../../base/byte-class.ts";
import type { Fields } from "../fields.ts";
import { OTHER, SHADOW, classifyHeader } from "../known-header.ts";
import {
  BAD_FIELD_NAME,
  BAD_FIELD_VALUE,
  BARE_CR,
  BARE_LF,
  FOLDED_FIELD,
  INCOMPLETE,
  NO_COLON,
  SPACE_BEFORE_COLON,
  TOO_MANY_FIELDS,
} from "./refusal.ts";

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
      if (bytes[position + 1] !== LF) return BARE_CR;
      fields.linesEnd = position - origin;
      return position + 2;
    }
    if (bytes[position] !== COLON) {
      return refuseColon(bytes[position]!);
    }
    position++;
    while (position < end && (bytes[position] === SP || bytes[position] === HTAB)) position++;
    const valueStart = position;
    while (position < end && FIELD_VALUE[bytes[position]!] === 1) position++;
    if (position + 1 >= end) {
      return position === end || bytes[position] === CR
        ? INCOMPLETE
        : refuseValue(bytes[position]!);
    }
    if (bytes[position] !== CR) return refuseValue(bytes[position]!);
    if (bytes[position + 1] !== LF) return BARE_CR;
    let valueEnd = position;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) {
      valueEnd--;
    }
    position += 2;
    if (fields.count === countMax) return TOO_MANY_FIELDS;
    const id = classifyHeader(bytes, nameStart, nameEnd);
    if (id === SHADOW) {
      fields.push(
        OTHER,
        nameStart - origin,
        nameEnd - origin,
        valueStart - origin,
        valueEnd - origin,
      );
      fields.removeAt(fields.count - 1);
      continue;
    }
    fields.push(id, nameStart - origin, nameEnd - origin, valueStart - origin, valueEnd - origin);
  }
}

function refuseName(byte: number, offset: number, fields: Fields): number {
  if (byte === LF) return BARE_LF;
  if (byte === SP || byte === HTAB)
    return offset > fields.linesStart ? FOLDED_FIELD : BAD_FIELD_NAME;
  return BAD_FIELD_NAME;
}

function refuseColon(byte: number): number {
  if (byte === SP || byte === HTAB) return SPACE_BEFORE_COLON;
  if (byte === LF) return BARE_LF;
  return byte === CR ? NO_COLON : BAD_FIELD_NAME;
}

function refuseValue(byte: number): number {
  return byte === LF ? BARE_LF : BAD_FIELD_VALUE;
}
