/** What a gateway's own cookie tells the browser beside its name and value. */
export interface CookieAttributes {
  /** Life of the cookie, ms; 0: until the browser is closed. */
  ttlMs: number;
  path: string;
  /** Send the cookie over TLS only. */
  secure: boolean;
  /** Hide the cookie from scripts. */
  httpOnly: boolean;
  /** `none` needs `secure`. */
  sameSite: "strict" | "lax" | "none";
}

/**
 * The end of a Set-Cookie line, RFC 6265bis, 4.1. Max-Age alone, which unlike Expires holds for every response.
 *
 * @throws for what browsers would drop
 */
export function cookieAttributes(attributes: CookieAttributes): string {
  const { ttlMs, path, secure, httpOnly, sameSite } = attributes;
  if (sameSite === "none" && !secure) throw new Error("a cookie with sameSite none must be secure");
  let text = `; Path=${path}`;
  if (ttlMs > 0) text += `; Max-Age=${Math.ceil(ttlMs / 1000)}`;
  if (secure) text += "; Secure";
  if (httpOnly) text += "; HttpOnly";
  return `${text}; SameSite=${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`;
}
