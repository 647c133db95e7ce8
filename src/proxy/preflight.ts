// HOT
import type { Fields } from "../wire/fields.ts";
import { ORIGIN } from "../wire/known-header.ts";

/**
 * The method of the request that a browser asks about, when this is such a question: a CORS-preflight
 * request (Fetch standard, section 3.2.2). "" for any other request.
 */
export function preflightMethod(method: string, fields: Fields): string {
  if (method !== "OPTIONS" || (fields.seen & (1 << ORIGIN)) === 0) return "";
  return fields.get("access-control-request-method") ?? "";
}
