/** User name and password of an Authorization header. */
export interface BasicPair {
  readonly username: string;
  readonly password: string;
}

const SCHEME = "basic ";
const TOKEN_LENGTH_MAX = 1024;
const TOKEN = /^[A-Za-z0-9+/]+={0,2}$/;
const CONTROL = /\p{Cc}/u;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What stands behind `Basic`; null where the header is of another scheme (RFC 9110 section 11.4). */
export function basicToken(header: string): string | null {
  if (header.length < SCHEME.length) return header.toLowerCase() === "basic" ? "" : null;
  if (header.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return null;
  return header.slice(SCHEME.length).trim();
}

/** Reads the token, in UTF-8 (RFC 7617 section 2); undefined where it is not well formed. */
export function parseBasic(token: string): BasicPair | undefined {
  if (token.length > TOKEN_LENGTH_MAX || !TOKEN.test(token)) return undefined;
  let text: string;
  try {
    text = utf8.decode(Buffer.from(token, "base64"));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  if (colon === -1 || CONTROL.test(text)) return undefined;
  return { username: text.slice(0, colon).normalize("NFC"), password: text.slice(colon + 1) };
}
