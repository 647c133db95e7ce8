/**
 * oidc: signs users in at an OpenID provider, and knows them by a session from then on.
 */
import { crossSiteRequest } from "../../policy/cross-site.ts";
import { defineAuthenticator } from "../../policy/authenticator.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import { TokenIdentities } from "../../policy/token/token-identities.ts";
import { BrowserSite } from "./browser-site.ts";
import { CookieSessionStore } from "./cookie-session-store.ts";
import { OidcAuthenticator } from "./oidc-authenticator.ts";
import { oidcFaults } from "./oidc-faults.ts";
import { oidcMistakes, oidcSchema, type OidcOptions } from "./oidc-options.ts";
import { OpenidProvider, type ProviderSettings } from "./openid-provider.ts";
import { PendingCookies } from "./pending-cookies.ts";
import { RedisSessionStore } from "./redis-session-store.ts";
import { CookieSealer } from "./sealed-cookie.ts";
import { SessionBoard } from "./session-board.ts";
import { SessionRenewal } from "./session-renewal.ts";
import type { SessionStore } from "./session-store.ts";
import { SignIn } from "./sign-in.ts";
import { SignOut } from "./sign-out.ts";

export default defineAuthenticator({
  name: "oidc",
  summary: "Signs users in at an OpenID provider, and knows them by a session from then on.",
  schema: oidcSchema,
  results: ["signed-in", "sign-in-failed", "signed-out", "renewed", "renewal-failed"],
  faults: [...oidcFaults, crossSiteRequest],
  check: (options, surroundings) => [...oidcMistakes(options, surroundings)],

  compile(options, environment) {
    const { clock, log, consumers } = environment;
    const { session, forward, allowHttp: allowsHttp } = options;
    const limits = { ttlMs: session.ttl, idleMs: session.idle };
    const provider = providerOf(options, environment);
    const { name = "", domain = "", path, sameSite, persistent } = session.cookie;
    const site = new BrowserSite(
      { name, domain, path, sameSite },
      { origin: options.origin ?? "", allowsHttp },
    );
    // A session of one application is none of another, though both may have the same secret.
    const context = `${site.cookieName}\n${options.issuer}\n${options.clientId}`;
    const store = storeOf(options, environment, context);
    const pending = new PendingCookies();
    const keepsAccessToken = forward.accessToken !== undefined;
    const shared = { provider, store, site, pending, clock, log, limits, keepsAccessToken };
    const asksUserinfo = options.userinfo;
    return new OidcAuthenticator({
      ...shared,
      signIn: new SignIn({
        ...shared,
        sealer: new CookieSealer(options.secret, `sign-in ${context}`),
        callbackPath: options.callbackPath,
        parameters: { ...options.parameters, scope: options.scopes.join(" ") },
        isPersistent: persistent,
        isStrict: sameSite === "strict",
        keepsRefreshToken: options.refresh,
        asksUserinfo,
        signedIn: environment.counter("signed-in"),
        failed: environment.counter("sign-in-failed"),
      }),
      signOut: new SignOut({
        ...shared,
        afterwards: options.afterLogout,
        endsProviderSession: options.providerLogout,
        signedOut: environment.counter("signed-out"),
      }),
      renewal: new SessionRenewal({
        ...shared,
        asksUserinfo,
        renewed: environment.counter("renewed"),
        failed: environment.counter("renewal-failed"),
      }),
      identities: new TokenIdentities({
        method: "oidc",
        claims: options.claims,
        consumer: options.consumer,
        consumers,
      }),
      paths: {
        login: options.loginPath,
        callback: options.callbackPath,
        logout: options.logoutPath,
      },
      isPersistent: persistent,
      leadsToLogin: options.unauthenticated === "login",
      accessTokenHeader: forward.accessToken ?? "",
      idTokenHeader: forward.idToken ?? "",
    });
  },
});

function providerOf(options: OidcOptions, environment: PolicyEnvironment): OpenidProvider {
  const settings: ProviderSettings = {
    issuer: options.issuer,
    endpoints: options.endpoints ?? null,
    clientId: options.clientId,
    clientSecret: options.clientSecret ?? "",
    clientAuth: options.clientAuth,
    leewayMs: options.leeway,
    allowsHttp: options.allowHttp,
  };
  // One for all uses that are alike, so that the provider is asked about itself once.
  const key = `provider ${JSON.stringify(settings)}`;
  return environment.keep(key, () => new OpenidProvider(settings, environment));
}

function storeOf(
  options: OidcOptions,
  environment: PolicyEnvironment,
  context: string,
): SessionStore {
  const { store, ttl, idle } = options.session;
  const sealer = new CookieSealer(options.secret, "session");
  const limits = { ttlMs: ttl, idleMs: idle };
  if (store === "redis") {
    const { clock } = environment;
    return new RedisSessionStore({ redis: environment.redis(), sealer, context, limits, clock });
  }
  const board = environment.keep(`board ${context}`, () => new SessionBoard(`oidc ${context}`));
  const { concurrency } = environment;
  return new CookieSessionStore({ sealer, context, limits, board, concurrency });
}
