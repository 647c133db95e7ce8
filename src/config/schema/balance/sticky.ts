import { z } from "zod";
import { cookieName, cookiePath } from "../../../policy/values/cookie.ts";
import { duration } from "../../../policy/values/duration.ts";
import { expected } from "../../../policy/values/expected.ts";
import { flag } from "../../../policy/values/number.ts";
import { parsedText } from "../../../policy/values/parsed-text.ts";
import { Refusal } from "../../../policy/values/refusal.ts";
import { section } from "../../../policy/values/section.ts";
import { choice } from "../../../policy/values/text.ts";
import type { StickyConfig } from "../../../upstream/balance/balance-config.ts";
import { STATELESS, statelessNamed, statelessObjects } from "./stateless.ts";

/** Short of it a key can be found by trying. */
const SECRET_LENGTH_MIN = 16;

const secret = parsedText(
  (written) => {
    if (written.length >= SECRET_LENGTH_MIN) return written;
    throw new Refusal(`shorter than ${SECRET_LENGTH_MIN} characters`);
  },
  { what: "a secret", hint: "openssl rand -hex 32 makes one" },
);

const fallback = z.union(
  [
    choice(STATELESS).transform((name) => statelessNamed(name)),
    z.discriminatedUnion("name", statelessObjects),
  ],
  { error: expected(`one of ${STATELESS.join(", ")}, or a map with its name and options`) },
);

/** A cookie binds a client to its target. */
export const stickyObject = section({
  name: z.literal("sticky").describe("The way to choose."),
  cookie: cookieName()
    .prefault("gw-sticky")
    .describe("Name of the cookie that binds a client to a target."),
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
  secret: secret
    .optional()
    .describe(
      "Keys the cookie's values, so that nobody can tell from them, or choose, a target's address. " +
        "The same on all machines; another one binds all clients anew.",
    ),
  fallback: fallback
    .prefault("round-robin")
    .describe("How the target of a new client is chosen, or when the bound one cannot serve."),
}).transform(({ ttl, secret: key = "", ...value }, context): StickyConfig => {
  const refused = refusedCookie(value);
  if (refused === undefined) return { ...value, secret: key, ttlMs: ttl };
  const [option, message, hint] = refused;
  context.issues.push({ code: "custom", message, params: { hint }, input: value, path: [option] });
  return z.NEVER;
});

/** What browsers would drop without a word: the key, what is wrong with it, what would be right. */
function refusedCookie(
  value: Pick<StickyConfig, "cookie" | "path" | "secure" | "sameSite">,
): [key: string, message: string, hint: string] | undefined {
  const { cookie, path, secure, sameSite } = value;
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
