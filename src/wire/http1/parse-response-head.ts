// HOT
import { CR, FIELD_VALUE, LF, SP } from "../../base/byte-class.ts";
import { latin1Slice } from "../../base/latin1.ts";
import { CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE } from "../known-header.ts";
import {
  OPTION_CLOSE,
  OPTION_KEEP_ALIVE,
  OPTION_UPGRADE,
  readConnectionOptions,
} from "./connection-options.ts";
import { parseContentLength } from "./content-length.ts";
import { parseFields } from "./parse-fields.ts";
import type { HeadLimits } from "./parse-request-head.ts";
import {
  BAD_CODING,
  BAD_LENGTH,
  BAD_START_LINE,
  BAD_VERSION,
  BARE_LF,
  HEAD_TOO_LARGE,
  INCOMPLETE,
  LENGTH_AND_CODING,
  LENGTH_DOUBLED,
} from "./refusal.ts";
import { NO_LENGTH } from "./request-head.ts";
import type { ResponseHead } from "./response-head.ts";

/**
 * Parses a whole response head (RFC 9112 section 4) from `bytes[start, end)`, as strictly as requests:
 * a service that is misread leaks one client's answer to another.
 *
 * @returns the position after the head, INCOMPLETE, or a refusal.
 */
export function parseResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  head: ResponseHead,
  limits: HeadLimits,
): number {
  let position = start;
  // "HTTP/1.x NNN": twelve bytes, then SP and a reason, or the line's end.
  if (end - start < 13) return checkPartialPrefix(bytes, start, end);
  const minor = bytes[start + 7]! - 0x30;
  if (!isHttp1(bytes, start) || minor < 0 || minor > 9 || bytes[start + 8] !== SP)
    return BAD_VERSION;
  const hundreds = bytes[start + 9]! - 0x30;
  const tens = bytes[start + 10]! - 0x30;
  const ones = bytes[start + 11]! - 0x30;
  if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) {
    return BAD_START_LINE;
  }
  position = start + 12;
  if (bytes[position] === SP) position++;
  else if (bytes[position] !== CR) return BAD_START_LINE;
  const reasonStart = position;
  while (position < end && FIELD_VALUE[bytes[position]!] === 1) position++;
  if (position + 1 >= end) return end - start > limits.headBytesMax ? HEAD_TOO_LARGE : INCOMPLETE;
  if (bytes[position] !== CR || bytes[position + 1] !== LF) return BARE_LF;
  const reasonEnd = position;

  const fields = head.fields;
  fields.clear();
  const headEnd = parseFields(bytes, position + 2, end, start, fields, limits.fieldCountMax);
  if (headEnd < 0) {
    return headEnd === INCOMPLETE && end - start > limits.headBytesMax ? HEAD_TOO_LARGE : headEnd;
  }
  if (headEnd - start > limits.headBytesMax) return HEAD_TOO_LARGE;
  fields.text = latin1Slice(bytes, start, headEnd);
  head.status = hundreds * 100 + tens * 10 + ones;
  head.reasonAt(reasonStart - start, reasonEnd - start);
  head.versionMinor = minor === 0 ? 0 : 1;
  head.statusLineStands = minor === 1 && reasonStart - start === 13;
  const refusal = interpretResponseFields(head);
  return refusal === 0 ? headEnd : refusal;
}

function isHttp1(bytes: Uint8Array, start: number): boolean {
  return (
    bytes[start] === 0x48 &&
    bytes[start + 1] === 0x54 &&
    bytes[start + 2] === 0x54 &&
    bytes[start + 3] === 0x50 &&
    bytes[start + 4] === 0x2f &&
    bytes[start + 5] === 0x31 &&
    bytes[start + 6] === 0x2e
  );
}

const PREFIX = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e];

function checkPartialPrefix(bytes: Uint8Array, start: number, end: number): number {
  for (let at = 0; at < PREFIX.length && start + at < end; at++) {
    if (bytes[start + at] !== PREFIX[at]) return BAD_VERSION;
  }
  return INCOMPLETE;
}

/** What the known fields say of the response's framing and of the connection. 0 or a refusal. */
export function interpretResponseFields(head: ResponseHead): number {
  const { fields } = head;
  head.contentLength = NO_LENGTH;
  head.chunked = false;
  head.keepAlive = head.versionMinor === 1;
  head.upgradeIndex = -1;
  let options = 0;
  let upgradeIndex = -1;
  for (let index = 0; index < fields.count; index++) {
    switch (fields.ids[index]) {
      case CONTENT_LENGTH:
        if (head.contentLength !== NO_LENGTH) return LENGTH_DOUBLED;
        head.contentLength = parseContentLength(fields, index);
        if (head.contentLength < 0) return BAD_LENGTH;
        break;
      case TRANSFER_ENCODING:
        if (head.chunked || fields.valueAt(index).toLowerCase() !== "chunked") return BAD_CODING;
        head.chunked = true;
        break;
      case CONNECTION:
        options |= readConnectionOptions(fields, index);
        break;
      case UPGRADE:
        upgradeIndex = index;
        break;
      default:
        break;
    }
  }
  if (head.chunked && (head.contentLength !== NO_LENGTH || head.versionMinor === 0)) {
    return LENGTH_AND_CODING;
  }
  if ((options & OPTION_CLOSE) !== 0) head.keepAlive = false;
  else if ((options & OPTION_KEEP_ALIVE) !== 0) head.keepAlive = true;
  if ((options & OPTION_UPGRADE) !== 0) head.upgradeIndex = upgradeIndex;
  return 0;
}
