import type { Exchange } from "../../policy/exchange.ts";
import { dropChecksums } from "../../policy/recoded-fields.ts";

type Fields = Exchange["request"]["fields"];

/**
 * What is said of a body that other bytes have taken the place of.
 *
 * @param contentType null where it stays
 */
export function describeMapped(fields: Fields, contentType: string | null): void {
  if (contentType !== null) fields.set("content-type", contentType);
  dropChecksums(fields);
}

/** Whether the bytes are in a coding such as gzip. */
export function isEncoded(fields: Fields): boolean {
  const coding = fields.get("content-encoding");
  return coding !== undefined && coding.trim() !== "" && coding.trim().toLowerCase() !== "identity";
}
