// HOT
import { STATUS_CODES } from "node:http";
import type { Fields } from "../fields.ts";
import { OTHER } from "../known-header.ts";
import type { ResponseHead } from "./response-head.ts";

export const LAST_CHUNK = "0\r\n\r\n";

const STATUS_LINES: string[] = [];
const REASONS: string[] = [];
for (let status = 0; status < 600; status++) {
  const reason = STATUS_CODES[status] ?? "";
  REASONS.push(reason);
  STATUS_LINES.push("HTTP/1.1 " + status + " " + reason + "\r\n");
}

/** The standard reason phrase, "" where there is none. */
export function reasonOf(status: number): string {
  return REASONS[status] ?? "";
}

/** With CRLF and the standard reason phrase, of a status below 600. */
export function statusLineOf(status: number): string {
  return STATUS_LINES[status]!;
}

/** Always HTTP/1.1: a proxy states its own version (RFC 9110 section 2.5). */
export function statusLine(head: ResponseHead): string {
  const { status, reason } = head;
  if (status < 600 && REASONS[status] === reason) return STATUS_LINES[status]!;
  return "HTTP/1.1 " + status + " " + reason + "\r\n";
}

export function chunkHead(size: number): string {
  return size.toString(16) + "\r\n";
}

/**
 * Marks fields removed that may not be trailers (RFC 9110 section 6.5.1): they would change how the
 * message is framed, routed, authenticated or attributed after that was decided. None of those that the
 * gateway acts on is made to be a trailer.
 */
export function dropForbiddenTrailers(trailers: Fields): void {
  for (let index = 0; index < trailers.count; index++) {
    if (trailers.ids[index] !== OTHER) trailers.removeAt(index);
  }
}

/** The last chunk with trailer fields, RFC 9112 section 7.1.2. */
export function trailerSection(trailers: Fields): string {
  dropForbiddenTrailers(trailers);
  return "0\r\n" + trailers.lines(trailers.linesStart) + "\r\n";
}
