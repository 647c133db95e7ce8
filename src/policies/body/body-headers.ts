import type { Exchange } from "../../policy/exchange.ts";

type Fields = Exchange["request"]["fields"];

/** Checksums of bytes that are no longer sent (RFC 9530, RFC 3230, RFC 1864). */
const CHECKSUMS = ["content-digest", "repr-digest", "digest", "content-md5"];

/**
 * What is said of a body that other bytes have taken the place of.
 *
 * @param contentType null where it stays
 */
export function describeMapped(fields: Fields, contentType: string | null): void {
  if (contentType !== null) fields.set("content-type", contentType);
  for (const name of CHECKSUMS) fields.remove(name);
}

/**
 * A validator that promised the same bytes now promises the same meaning (RFC 9110 section 8.8.1): it serves
 * for `If-None-Match`, not for ranges.
 */
export function weakenETag(fields: Fields): void {
  const tag = fields.get("etag");
  if (tag !== undefined && !tag.startsWith("W/")) fields.set("etag", `W/${tag}`);
}

/** Whether the bytes are in a coding such as gzip. */
export function isEncoded(fields: Fields): boolean {
  const coding = fields.get("content-encoding");
  return coding !== undefined && coding.trim() !== "" && coding.trim().toLowerCase() !== "identity";
}
