// HOT
import type { Fields } from "../wire/fields.ts";

/** Of bytes that are not sent any more (RFC 9530, RFC 3230, RFC 1864). */
const CHECKSUMS = ["content-digest", "repr-digest", "digest", "content-md5"];

export function dropChecksums(fields: Fields): void {
  for (let index = 0; index < CHECKSUMS.length; index++) fields.remove(CHECKSUMS[index]!);
}

/**
 * Takes out what does not hold of other bytes that mean the same, but for Content-Length, which follows from
 * the body's stages: checksums, the offer of parts, and that the ETag promises these very bytes.
 */
export function dropFieldsOfBytes(fields: Fields): void {
  dropChecksums(fields);
  fields.remove("accept-ranges");
  weakenETag(fields);
}

/**
 * A validator that promised the same bytes now promises the same meaning (RFC 9110 section 8.8.1): it serves
 * for `If-None-Match`, not for ranges.
 */
export function weakenETag(fields: Fields): void {
  const tag = fields.get("etag");
  if (tag !== undefined && !tag.startsWith("W/")) fields.set("etag", "W/" + tag);
}

/** Adds a name to Vary, unless it is there or all vary. */
export function addVary(fields: Fields, name: string): void {
  const vary = fields.get("vary");
  if (vary === undefined || vary === "") fields.set("vary", name);
  else if (!hasToken(vary, "*") && !hasToken(vary, name)) fields.set("vary", vary + ", " + name);
}

/** Whether a list of tokens has one, without regard to case and to what follows a `=` or `;`. */
export function hasToken(list: string, token: string): boolean {
  const wanted = token.toLowerCase();
  const parts = list.toLowerCase().split(",");
  for (let index = 0; index < parts.length; index++) {
    if (parts[index]!.split(/[=;]/, 1)[0]!.trim() === wanted) return true;
  }
  return false;
}
