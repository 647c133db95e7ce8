/** oidc-options: what users write, and what of it makes no sense. */
import { z } from "zod";
import type { OptionMistake, PolicySurroundings } from "../../policy/policy.ts";
import { issuerName, serverUrl, tokenShape } from "../../policy/token/token-options.ts";
import { cookieName, cookiePath } from "../../policy/values/cookie.ts";
import { duration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { headerToSet } from "../../policy/values/header.ts";
import { flag } from "../../policy/values/number.ts";
import { origin } from "../../policy/values/origin.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { secrets } from "../../policy/values/secret.ts";
import { section } from "../../policy/values/section.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";

const DAY_MS = 86_400_000;
const TTL_MS_MAX = 400 * DAY_MS;
/** The policy writes these itself. */
const RESERVED = [
  "client_id",
  "code_challenge",
  "code_challenge_method",
  "nonce",
  "redirect_uri",
  "request",
  "request_uri",
  "response_mode",
  "response_type",
  "scope",
  "state",
];

function ownPath() {
  const hint = "write it like /oauth/callback";
  return parsedText(
    (written) => {
      if (/^(?:\/[\w.~-]+)+$/.test(written) && !/\/\.{1,2}(?:\/|$)/.test(written)) return written;
      throw new Refusal(`${JSON.stringify(written)} is not a plain path`, hint);
    },
    { what: "a path", hint, pattern: "^(/[\\w.~-]+)+$", sample: "/oauth/callback" },
  );
}

/** A path of the gateway's own, or a whole address. */
function destination() {
  const hint = "write a path like /, or a whole https address";
  return parsedText(
    (written) => {
      if (/^\/(?![/\\])[!-[\]-~]*$/.test(written)) return written;
      const url = URL.parse(written);
      if (url !== null && /^https?:$/.test(url.protocol)) return url.href;
      throw new Refusal(`${JSON.stringify(written)} is neither a path nor an address`, hint);
    },
    { what: "a path or address", hint, sample: "/" },
  );
}

const endpoints = section({
  authorization: serverUrl().describe("Where browsers sign in."),
  token: serverUrl().describe("Gives tokens for codes."),
  jwks: serverUrl().describe("Keys that sign ID tokens."),
  userinfo: serverUrl().optional().describe("Says more of a user."),
  endSession: serverUrl().optional().describe("Where browsers sign out."),
  revocation: serverUrl().optional().describe("Takes tokens back."),
});

const cookie = section({
  name: cookieName()
    .optional()
    .describe("Name of the session's cookie. Default: `__Host-gateward-session`."),
  path: cookiePath().prefault("/").describe("Path below which browsers send it."),
  domain: text("a domain")
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i, { error: "not a domain; write example.com" })
    .optional()
    .describe("Send it to the hosts below this domain too. Default: to this host alone."),
  sameSite: choice(["lax", "strict", "none"])
    .prefault("lax")
    .describe("Whether pages of other sites make browsers send it: `lax` for links alone."),
  persistent: flag()
    .prefault(false)
    .describe("Keep it when the browser is closed, until the session ends."),
}).prefault({});

const session = section({
  store: choice(["cookie", "redis"])
    .prefault("cookie")
    .describe("Where sessions are: sealed in the browser's cookie, or in the document's `redis`."),
  ttl: duration({ minMs: 60_000, maxMs: TTL_MS_MAX })
    .prefault("12h")
    .describe("How long one lasts at most."),
  idle: duration({ minMs: 60_000, maxMs: TTL_MS_MAX, none: true })
    .prefault("1h")
    .describe("How long one lasts without a request; or `none`."),
  cookie: cookie.describe("The cookie that browsers hold."),
}).prefault({});

/** Headers by what they carry. */
interface ForwardOptions {
  readonly accessToken?: string | undefined;
  readonly idToken?: string | undefined;
}

const forwarded = z.union(
  [
    choice(["none"]).transform((): ForwardOptions => ({})),
    choice(["access-token"]).transform((): ForwardOptions => ({ accessToken: "authorization" })),
    section({
      accessToken: headerToSet()
        .optional()
        .describe("Header that carries the access token, `authorization` as `Bearer`."),
      idToken: headerToSet().optional().describe("Header that carries the ID token."),
    }),
  ],
  { error: expected("none, access-token, or a map of accessToken and idToken to headers") },
);

export const oidcSchema = section({
  issuer: issuerName().describe(
    "The provider, as it calls itself: `https://id.example.com`. What else is to be known is asked there.",
  ),
  endpoints: endpoints
    .optional()
    .describe("Addresses of a provider that cannot be asked for them."),
  clientId: text("a client id").describe("As the provider knows this application."),
  clientSecret: text("a secret")
    .optional()
    .describe("Best from the environment: `${OIDC_CLIENT_SECRET}`. None for a public client."),
  clientAuth: choice(["basic", "post"])
    .prefault("basic")
    .describe("How the secret is shown to the provider."),
  secret: secrets().describe(
    "At least 32 characters that seal cookies and sessions. Of several the first seals, and each opens.",
  ),
  scopes: listOf(text("a scope"), "a scope")
    .prefault(["openid", "profile", "email"])
    .describe("What the provider is asked for. `offline_access` often brings a refresh token."),
  parameters: z
    .record(text("a parameter's name"), text("a parameter's value"))
    .prefault({})
    .describe("Further parameters of the request to sign in, such as `prompt` or `audience`."),
  origin: origin()
    .optional()
    .describe("Scheme and host by which browsers know the gateway. Default: each request says it."),
  callbackPath: ownPath()
    .prefault("/oauth/callback")
    .describe("Where the provider sends browsers back to; register it there."),
  loginPath: ownPath()
    .prefault("/oauth/login")
    .describe("Begins to sign in, and goes to the path in `return_to` afterwards."),
  logoutPath: ownPath().prefault("/oauth/logout").describe("Signs out."),
  afterLogout: destination()
    .prefault("/")
    .describe("Where browsers go when they have signed out; register it with the provider."),
  providerLogout: flag()
    .prefault(true)
    .describe("Sign out at the provider too, where it has a page for that."),
  unauthenticated: choice(["login", "refuse"])
    .prefault("login")
    .describe("What browsers get that ask for a page without a session: the login, or a 401."),
  session: session.describe("How sessions are kept."),
  refresh: flag()
    .prefault(true)
    .describe("Renew tokens shortly before they end, where the provider gave a refresh token."),
  userinfo: flag()
    .prefault(false)
    .describe("Ask the provider's userinfo endpoint as well, when signing in and renewing."),
  forward: forwarded
    .prefault("none")
    .describe(
      "Tokens that services get: `access-token` in `Authorization`, or a map of `accessToken` and `idToken` to headers.",
    ),
  claims: tokenShape.claims.describe("Where the ID token says what about the user."),
  consumer: tokenShape.consumer.describe("Which consumer the user belongs to."),
  leeway: duration({ minMs: 0, maxMs: 600_000 })
    .prefault("30s")
    .describe("By how much the clocks of the provider and the gateway may differ."),
  allowHttp: flag()
    .prefault(false)
    .describe(
      "For development: allow a provider over plain http, and browsers on localhost. Cookies are not `Secure` there.",
    ),
});

export type OidcOptions = z.output<typeof oidcSchema>;

/** Settings that fit the schema and make no sense together. */
export function* oidcMistakes(
  options: OidcOptions,
  surroundings: PolicySurroundings,
): Generator<OptionMistake> {
  yield* addressMistakes(options);
  yield* cookieMistakes(options);
  const { scopes, parameters } = options;
  const { store, ttl, idle } = options.session;
  if (!scopes.includes("openid")) {
    yield { path: ["scopes"], message: "without openid there is no ID token", hint: "add openid" };
  }
  for (const name of Object.keys(parameters)) {
    if (!RESERVED.includes(name)) continue;
    yield { path: ["parameters", name], message: `${name} is written by the policy itself` };
  }
  if (idle > ttl) {
    const hint = "write a shorter one, or none";
    yield { path: ["session", "idle"], message: "idle is longer than ttl", hint };
  }
  if (store === "redis" && !surroundings.hasRedis) {
    const hint = "add `redis:` at the top of the document";
    yield { path: ["session", "store"], message: "there is no Redis", hint };
  }
}

function* addressMistakes(options: OidcOptions): Generator<OptionMistake> {
  const { issuer, endpoints: given = {}, allowHttp } = options;
  const url = URL.parse(issuer);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search + url.hash !== "") {
    yield { path: ["issuer"], message: "not an address", hint: "write https://id.example.com" };
  }
  const addresses = [[["issuer"], issuer] as const].concat(
    Object.entries(given).map(([name, address]) => [["endpoints", name], address] as never),
  );
  for (const [path, address] of addresses) {
    if (allowHttp || !/^http:/i.test(address)) continue;
    const hint = "use https; for development set allowHttp";
    yield { path, message: "secrets and tokens would go over plain http", hint };
  }
  const paths = [options.callbackPath, options.loginPath, options.logoutPath];
  if (new Set(paths).size < paths.length) {
    const message = "callbackPath, loginPath and logoutPath are not all different";
    yield { message, hint: "one path cannot mean two things" };
  }
}

function* cookieMistakes(options: OidcOptions): Generator<OptionMistake> {
  const { name = "", path, domain } = options.session.cookie;
  const at = ["session", "cookie"];
  if (name.startsWith("__Host-") && (path !== "/" || domain !== undefined)) {
    const hint = "begin the name with __Secure-, or leave out path and domain";
    yield { path: [...at, "name"], message: "__Host- goes with no path and no domain", hint };
  }
  if (/^__(?:Host|Secure)-/.test(name) && options.allowHttp) {
    const message = `browsers refuse ${name} over plain http`;
    yield { path: [...at, "name"], message, hint: "leave out the name, or allowHttp" };
  }
  const isBelow =
    path === "/" || `${options.logoutPath}/`.startsWith(`${path.replace(/\/$/, "")}/`);
  if (!isBelow) {
    const hint = "choose a logoutPath below it";
    yield { path: [...at, "path"], message: "the cookie does not reach logoutPath", hint };
  }
}
