import type { CacheRecord } from "../../policy/cache-record.ts";
import type { Reply } from "../../policy/reply.ts";
import { parseHttpDate } from "./http-date.ts";
import type { PreparedRecord } from "./prepared-record.ts";

/** What a client makes its request depend on (RFC 9110 sections 13 and 14). */
export interface Conditions {
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

const NO_BYTES = Buffer.alloc(0);
const RANGE = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/i;

/** The answer to a request out of a record, as the service would have given it. `headers` are added. */
export function storedAnswer(
  record: CacheRecord,
  prepared: PreparedRecord,
  conditions: Conditions | null,
  headers: Record<string, string>,
): Reply {
  if (conditions !== null) {
    if (isUnchanged(prepared, conditions)) {
      return { status: 304, headers, body: NO_BYTES, block: prepared.notModified, standsIn: true };
    }
    const part = partOf(record, prepared, conditions, headers);
    if (part !== null) return part;
  }
  const { status, body } = record;
  return { status, headers, body, block: prepared.block, standsIn: true };
}

/**
 * Lines that depend on when they are sent: Age (RFC 9111 section 5.1) and Cache-Status (RFC 9211).
 *
 * @param how null: without Cache-Status
 */
export function currentHeaders(
  { bornAtMs, freshUntilMs }: Pick<CacheRecord, "bornAtMs" | "freshUntilMs">,
  nowMs: number,
  how: string | null,
): Record<string, string> {
  const headers: Record<string, string> = { age: String(secondsOf(Math.max(0, nowMs - bornAtMs))) };
  if (how === null) return headers;
  const ttl = freshUntilMs === 0 ? "" : `; ttl=${secondsOf(freshUntilMs - nowMs)}`;
  headers["cache-status"] = `gateward; ${how}${ttl}`;
  return headers;
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

/** RFC 9110 section 13.2.2: If-Modified-Since counts only without If-None-Match. */
function isUnchanged(prepared: PreparedRecord, conditions: Conditions): boolean {
  const { ifNoneMatch, ifModifiedSince } = conditions;
  if (ifNoneMatch !== undefined) return namesTag(ifNoneMatch, prepared.etag);
  const { lastModifiedMs } = prepared;
  if (ifModifiedSince === undefined || lastModifiedMs === undefined) return false;
  const sinceMs = parseHttpDate(ifModifiedSince);
  return sinceMs !== undefined && lastModifiedMs <= sinceMs;
}

/** Weak comparison, RFC 9110 section 8.8.3.2. */
export function namesTag(list: string, etag: string): boolean {
  if (list.trim() === "*") return true;
  if (etag === "") return false;
  const opaque = opaqueOf(etag);
  for (const tag of list.match(/(?:W\/)?"[^"]*"/g) ?? []) {
    if (opaqueOf(tag) === opaque) return true;
  }
  return false;
}

function opaqueOf(etag: string): string {
  return etag.startsWith("W/") ? etag.slice(2) : etag;
}

/** One range; several, or one that cannot be read, are answered with the whole (RFC 9110 section 14.2). */
function partOf(
  { status, body }: CacheRecord,
  prepared: PreparedRecord,
  { range, ifRange }: Conditions,
  headers: Record<string, string>,
): Reply | null {
  if (range === undefined || status !== 200) return null;
  if (ifRange !== undefined && !isSame(prepared, ifRange)) return null;
  const found = RANGE.exec(range.trim());
  if (found === null) return null;
  const { length } = body;
  const [, first, last, suffix] = found;
  if (suffix === undefined && last !== undefined && Number(last) < Number(first)) return null;
  const start = suffix === undefined ? Number(first) : Math.max(0, length - Number(suffix));
  const end = suffix === undefined ? Math.min(Number(last ?? length), length - 1) : length - 1;
  if (start >= length || suffix === "0") {
    headers["content-range"] = `bytes */${length}`;
    return { status: 416, headers, body: NO_BYTES, block: prepared.notModified, standsIn: true };
  }
  headers["content-range"] = `bytes ${start}-${end}/${length}`;
  const part = body.subarray(start, end + 1);
  return { status: 206, headers, body: part, block: prepared.block, standsIn: true };
}

/** Strong comparison, RFC 9110 section 13.1.5. */
function isSame({ etag, lastModified }: PreparedRecord, ifRange: string): boolean {
  const wanted = ifRange.trim();
  if (wanted.startsWith('"')) return wanted === etag;
  return !wanted.startsWith("W/") && wanted !== "" && wanted === lastModified;
}
