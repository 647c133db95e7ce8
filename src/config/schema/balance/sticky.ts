import { z } from "zod";
import { cookieName } from "../../../policy/values/cookie.ts";
import { expected } from "../../../policy/values/expected.ts";
import { parsedText } from "../../../policy/values/parsed-text.ts";
import { Refusal } from "../../../policy/values/refusal.ts";
import { section } from "../../../policy/values/section.ts";
import { choice } from "../../../policy/values/text.ts";
import type { StickyConfig } from "../../../upstream/balance/balance-config.ts";
import { cookieShape, refusedCookie } from "../cookie-shape.ts";
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
  ...cookieShape,
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
  const refused = refusedCookie(value.cookie, value);
  if (refused === undefined) return { ...value, secret: key, ttlMs: ttl };
  const [option, message, hint] = refused;
  context.issues.push({ code: "custom", message, params: { hint }, input: value, path: [option] });
  return z.NEVER;
});
