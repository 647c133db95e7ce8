import { Fault } from "../../base/faults.ts";
import type { Log } from "../../base/log/log.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { Invitation } from "../../policy/authenticator.ts";
import type { Clock } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { reply, type Reply } from "../../policy/reply.ts";
import type { BrowserSite, Sight } from "./browser-site.ts";
import {
  codeChallengeOf,
  isState,
  LOGIN_MS,
  newTransaction,
  openTransaction,
  sealTransaction,
  type LoginTransaction,
} from "./login-transaction.ts";
import {
  notBegun,
  notHeld,
  providerAway,
  signInRefused,
  storeAway,
  tooLarge,
} from "./oidc-faults.ts";
import type { OpenidProvider, Tokens } from "./openid-provider.ts";
import type { PendingCookies } from "./pending-cookies.ts";
import { ProviderFailure } from "./provider-failure.ts";
import type { CookieSealer } from "./sealed-cookie.ts";
import { renewAt } from "./session-renewal.ts";
import type { SessionStore } from "./session-store.ts";
import type { Session, SessionLimits } from "./session.ts";

/** Tabs that sign in at once; the cookie of the oldest goes away for one more. */
const LOGINS_MAX = 5;
/** What a provider may answer: RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6. */
const REFUSALS = new Set([
  "access_denied",
  "account_selection_required",
  "consent_required",
  "interaction_required",
  "invalid_scope",
  "login_required",
]);

export interface SignInSettings {
  readonly provider: OpenidProvider;
  readonly store: SessionStore;
  readonly site: BrowserSite;
  readonly sealer: CookieSealer;
  readonly pending: PendingCookies;
  readonly clock: Clock;
  readonly log: Log;
  readonly callbackPath: string;
  /** Of the authorization request, beside those of every one. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly limits: SessionLimits;
  readonly isPersistent: boolean;
  /** A cookie of SameSite=Strict does not come with a navigation that began at the provider. */
  readonly isStrict: boolean;
  readonly keepsAccessToken: boolean;
  readonly keepsRefreshToken: boolean;
  readonly asksUserinfo: boolean;
  readonly signedIn: Counter;
  readonly failed: Counter;
}

/** The way to the provider and back: authorization code with PKCE, state and nonce. */
export class SignIn {
  private readonly settings: SignInSettings;

  constructor(settings: SignInSettings) {
    this.settings = settings;
  }

  /**
   * Sends the browser to the provider.
   *
   * @param returnTo path to go to afterwards, as `returnPath` makes it
   */
  begin(exchange: Exchange, returnTo: string): Invitation {
    const { provider, pending, site } = this.settings;
    const sight = site.sightOf(exchange);
    if (sight instanceof Fault) return sight;
    const header = exchange.header("cookie") ?? "";
    const lines = pending.of(exchange);
    if (provider.isReady) return this.lead(sight, header, returnTo, lines);
    return provider.ready().then(
      () => this.lead(sight, header, returnTo, lines),
      (error: unknown) => this.faultOf(error),
    );
  }

  private lead(sight: Sight, header: string, returnTo: string, lines: string[]): Reply {
    const { provider, sealer, clock, callbackPath, parameters } = this.settings;
    const { cookies, origin } = sight;
    const now = clock.now();
    const transaction = newTransaction(origin, returnTo, now);
    const name = cookies.loginName(transaction.state);
    const sealed = sealTransaction(sealer, name, transaction);
    lines.push(cookies.beginLogin(name, sealed, LOGIN_MS / 1000));
    lines.push(...this.tooManyLogins(sight, header, now));
    const location = provider.authorizationUrl({
      ...parameters,
      response_type: "code",
      redirect_uri: origin + callbackPath,
      state: transaction.state,
      nonce: transaction.nonce,
      code_challenge: codeChallengeOf(transaction),
      code_challenge_method: "S256",
    });
    return reply(302, { location });
  }

  /** Takes away the oldest, so that a browser's head never outgrows what a gateway takes. */
  private tooManyLogins({ cookies }: Sight, header: string, now: number): string[] {
    const logins = cookies.logins(header);
    if (logins.length < LOGINS_MAX) return [];
    const { sealer } = this.settings;
    const dated = logins.map(([name, value]) => {
      return { name, at: openTransaction(sealer, name, value, now)?.startedAtMs ?? 0 };
    });
    dated.sort((one, other) => one.at - other.at);
    return dated.slice(0, 1 - LOGINS_MAX).map(({ name }) => cookies.endLogin(name));
  }

  /** The browser is back, with a code or a refusal. */
  async finish(exchange: Exchange): Promise<Reply | Fault> {
    const answer = await this.conclude(exchange);
    const { signedIn, failed } = this.settings;
    (answer instanceof Fault ? failed : signedIn).add(1);
    return answer;
  }

  private async conclude(exchange: Exchange): Promise<Reply | Fault> {
    const { site, sealer, clock, pending, callbackPath } = this.settings;
    const sight = site.sightOf(exchange);
    if (sight instanceof Fault) return sight;
    const state = exchange.query("state");
    if (exchange.method !== "GET" || !isState(state)) return notBegun;
    const { cookies } = sight;
    const header = exchange.header("cookie") ?? "";
    const name = cookies.loginName(state);
    const sealed = exchange.cookie(name);
    const now = clock.now();
    const transaction = sealed === undefined ? null : openTransaction(sealer, name, sealed, now);
    if (transaction === null || transaction.state !== state) return notBegun;
    const lines = pending.of(exchange);
    // Good for one answer, whatever that is.
    lines.push(cookies.endLogin(name));
    const url = `${transaction.origin}${callbackPath}?${exchange.rawQuery}`;
    try {
      const session = await this.sessionFrom(url, transaction);
      return await this.admit(session, { sight, header, lines, returnTo: transaction.returnTo });
    } catch (error) {
      return this.faultOf(error);
    }
  }

  private async sessionFrom(url: string, transaction: LoginTransaction): Promise<Session> {
    const { provider, store, clock, asksUserinfo, keepsAccessToken } = this.settings;
    const tokens = await provider.tokensFor(url, transaction);
    const subject = String(tokens.claims?.["sub"]);
    const userinfo = asksUserinfo ? await provider.userinfo(tokens.accessToken, subject) : null;
    const refreshToken = this.settings.keepsRefreshToken ? tokens.refreshToken : "";
    const now = clock.now();
    return {
      // Never one that the browser brought: whoever planted it there would be signed in too.
      handle: store.newHandle(),
      version: 0,
      startedAtMs: now,
      seenAtMs: now,
      accessEndsAtMs: endOf(tokens, now),
      renewAtMs: renewAt(tokens, refreshToken, now),
      scope: tokens.scope === "" ? (this.settings.parameters["scope"] ?? "") : tokens.scope,
      idToken: tokens.idToken,
      accessToken: keepsAccessToken ? tokens.accessToken : "",
      refreshToken,
      userinfo,
    };
  }

  private async admit(
    session: Session,
    { sight, header, lines, returnTo }: Admission,
  ): Promise<Reply | Fault> {
    const { store, clock, limits, isPersistent, isStrict } = this.settings;
    const cookie = sight.cookies.session;
    const before = cookie.read(header);
    let ticket: string;
    try {
      const replaced = before === null ? null : await store.open(before, clock.now());
      if (replaced !== null) await store.end(replaced);
      ticket = await store.start(session);
    } catch (error) {
      this.settings.log.warn("a session could not be kept", { reason: String(error) });
      return storeAway;
    }
    const leftMs = session.startedAtMs + limits.ttlMs - clock.now();
    const written = cookie.write(ticket, header, isPersistent ? Math.ceil(leftMs / 1000) : 0);
    if (written === null) {
      this.settings.log.error("a session is too large for cookies", { bytes: ticket.length });
      return tooLarge;
    }
    lines.push(...written);
    if (isStrict) return refreshTo(returnTo);
    return reply(303, { location: returnTo });
  }

  private faultOf(error: unknown): Fault {
    if (!(error instanceof ProviderFailure)) throw error;
    const { kind, code, message } = error;
    this.settings.log.warn("a sign-in failed", { kind, code, reason: message });
    if (kind === "away") return providerAway;
    if (kind === "refused" && REFUSALS.has(code)) {
      return new Fault(signInRefused, "The identity provider did not let the user in.", code);
    }
    return notHeld;
  }
}

interface Admission {
  readonly sight: Sight;
  readonly header: string;
  readonly lines: string[];
  readonly returnTo: string;
}

function endOf({ accessLifeMs }: Tokens, nowMs: number): number {
  return accessLifeMs === 0 ? 0 : nowMs + accessLifeMs;
}

/** Goes on by a navigation of this origin's own. `path` has no character that needs an escape but `&`. */
function refreshTo(path: string): Reply {
  const escaped = path.replaceAll("&", "&amp;").replaceAll('"', "%22");
  const body = `<!doctype html><meta http-equiv="refresh" content="0; url=${escaped}"><a href="${escaped}">Continue</a>\n`;
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  };
  return reply(200, headers, body);
}
