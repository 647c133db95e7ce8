// HOT
import type { Fields } from "../wire/fields.ts";

/** Of bytes that are not sent any more: digests (RFC 9530 and before), and that parts of them are to be had. */
const OF_THE_BYTES = ["content-digest", "repr-digest", "digest", "content-md5", "accept-ranges"];

/**
 * Takes out what does not hold of another coding of the same content, but for Content-Length, which follows from
 * its stages. A strong ETag becomes a weak one: it is the
 * same content, and not the same bytes (RFC 9110, section 8.8.1).
 */
export function dropFieldsOfBytes(fields: Fields): void {
  for (let index = 0; index < OF_THE_BYTES.length; index++) fields.remove(OF_THE_BYTES[index]!);
  const tag = fields.get("etag");
  if (tag !== undefined && tag.startsWith('"')) fields.set("etag", "W/" + tag);
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
