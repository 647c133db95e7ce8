import { text } from "./text.ts";

/** Schema of a realm, which a `WWW-Authenticate` header names. */
export function realm() {
  return text("a realm").regex(/^[\x20-\x7e]+$/, {
    error: "not a realm; visible ASCII characters and blanks only",
  });
}

/** A challenge that names its realm: `Basic realm="api"` (RFC 9110 section 11.6.1). */
export function challengeOf(scheme: string, name: string): string {
  return `${scheme} realm="${name.replaceAll(/["\\]/g, "\\$&")}"`;
}
