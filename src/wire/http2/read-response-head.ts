// HOT
import { interpretResponseFields } from "../http1/parse-response-head.ts";
import type { HeadLimits } from "../http1/parse-request-head.ts";
import { BAD_START_LINE } from "../http1/refusal.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { reasonOf } from "../http1/write-message.ts";
import { readFields } from "./read-fields.ts";

/**
 * Reads the head of a response from a header list of node:http2 (RFC 9113 section 8.3.2). It comes out with
 * the status line it would have in HTTP/1.1, so that it can go on to such a client in one piece.
 *
 * @returns 0 or a refusal.
 */
export function readResponseHead(
  raw: readonly string[],
  head: ResponseHead,
  limits: HeadLimits,
): number {
  const status = raw[0] === ":status" ? Number(raw[1]) : 0;
  if (!(status >= 100 && status <= 999)) return BAD_START_LINE;
  const reason = reasonOf(status);
  const start = "HTTP/1.1 " + status + " " + reason + "\r\n";
  const refusal = readFields(raw, head.fields, start, start.length, "", limits);
  if (refusal !== 0) return refusal;
  head.status = status;
  head.reason = reason;
  head.versionMinor = 1;
  head.statusLineStands = true;
  return interpretResponseFields(head);
}
