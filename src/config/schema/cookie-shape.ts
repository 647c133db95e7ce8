import type { CookieAttributes } from "../../base/cookie-attributes.ts";
import { cookiePath } from "../../policy/values/cookie.ts";
import { duration } from "../../policy/values/duration.ts";
import { flag } from "../../policy/values/number.ts";
import { choice } from "../../policy/values/text.ts";

/** Keys of what a cookie of the gateway's own tells browsers. */
export const cookieShape = {
  ttl: duration({ none: true, maxMs: 400 * 86_400_000 })
    .prefault("none")
    .describe("Life of the cookie; `none` lets it end with the browser's session."),
  path: cookiePath()
    .prefault("/")
    .describe("Path below which the browser sends the cookie, as clients see it."),
  secure: flag().prefault(false).describe("Send the cookie over TLS only."),
  httpOnly: flag().prefault(true).describe("Hide the cookie from scripts."),
  sameSite: choice(["strict", "lax", "none"])
    .prefault("lax")
    .describe("Whether requests from other sites carry the cookie; `none` needs `secure`."),
};

/** What browsers would drop without a word: the key, what is wrong with it, what would be right. */
export function refusedCookie(
  cookie: string,
  { path, secure, sameSite }: Pick<CookieAttributes, "path" | "secure" | "sameSite">,
): [key: string, message: string, hint: string] | undefined {
  if (sameSite === "none" && !secure) {
    return ["sameSite", "browsers drop a cookie with sameSite none without secure", "set secure"];
  }
  // RFC 6265bis 4.1.3, name prefixes.
  const prefix = /^__(secure|host)-/i.exec(cookie)?.[0];
  if (prefix !== undefined && !secure) {
    return ["cookie", `browsers drop a cookie named ${prefix}… without secure`, "set secure"];
  }
  if (prefix?.toLowerCase() === "__host-" && path !== "/") {
    return [
      "path",
      `browsers drop a cookie named ${prefix}… with another path than /`,
      "drop path",
    ];
  }
  return undefined;
}
