import { Fault, faultTypes } from "../../base/faults.ts";
import type { Log } from "../../base/log/log.ts";
import type { Authenticator, Invitation, Judgement } from "../../policy/authenticator.ts";
import type { Clock } from "../../policy/environment.ts";
import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { Identity } from "../../policy/identity.ts";
import type { TokenIdentities } from "../../policy/token/token-identities.ts";
import type { BrowserSite } from "./browser-site.ts";
import { isNavigation } from "./is-navigation.ts";
import { providerAway, storeAway } from "./oidc-faults.ts";
import type { OwnCookies } from "./own-cookies.ts";
import type { PendingCookies } from "./pending-cookies.ts";
import { returnPath } from "./return-path.ts";
import type { Renewal, SessionRenewal } from "./session-renewal.ts";
import type { SessionStore } from "./session-store.ts";
import { claimsOf, sessionEndsAt, type Session, type SessionLimits } from "./session.ts";
import type { SignIn } from "./sign-in.ts";
import type { SignOut } from "./sign-out.ts";

/** The end of a session is put off when a tenth of the idle time has gone by: not with every request. */
const IDLE_SHARE = 10;

const nobodyKnown = new Fault(
  faultTypes.forbidden,
  "Whoever has signed in is not known here.",
  "consumer-unknown",
);

export interface AuthenticatorSettings {
  readonly signIn: SignIn;
  readonly signOut: SignOut;
  readonly renewal: SessionRenewal;
  readonly store: SessionStore;
  readonly site: BrowserSite;
  readonly pending: PendingCookies;
  readonly identities: TokenIdentities;
  readonly clock: Clock;
  readonly log: Log;
  readonly paths: { readonly login: string; readonly callback: string; readonly logout: string };
  readonly limits: SessionLimits;
  readonly isPersistent: boolean;
  /** Also a program is led to the login: never. */
  readonly leadsToLogin: boolean;
  /** Headers in which services get tokens; "" for none. */
  readonly accessTokenHeader: string;
  readonly idTokenHeader: string;
}

/** What a browser brought. */
interface Brought {
  readonly ticket: string;
  readonly cookies: OwnCookies;
  readonly header: string;
}

interface KnownIdentity {
  readonly consumersVersion: number;
  readonly identity: Identity;
}

/** Knows callers by the session that a sign-in began. */
export class OidcAuthenticator implements Authenticator {
  readonly challenge: string;
  private readonly settings: AuthenticatorSettings;
  private readonly identities = new WeakMap<Session, KnownIdentity>();
  private readonly accepted = new ExchangeMemory<Session>();

  constructor(settings: AuthenticatorSettings) {
    this.settings = settings;
    this.challenge = `Cookie realm="sign-in", cookie-name="${settings.site.cookieName}"`;
  }

  authenticate(exchange: Exchange): Judgement | Promise<Judgement> {
    const { paths, signIn, signOut, site, store, clock } = this.settings;
    const { path } = exchange;
    if (path === paths.callback) return signIn.finish(exchange);
    if (path === paths.logout) return signOut.run(exchange);
    if (path === paths.login) {
      return signIn.begin(exchange, this.returnTo(exchange.query("return_to") ?? "/"));
    }
    const header = exchange.header("cookie");
    if (header === undefined) return null;
    const cookies = site.cookiesOf(exchange);
    const ticket = cookies === null ? null : cookies.session.read(header);
    if (ticket === null) return null;
    const brought = { ticket, cookies: cookies!, header };
    const opened = store.open(ticket, clock.now());
    if (!(opened instanceof Promise)) return this.judge(exchange, opened, brought);
    return opened.then((session) => this.judge(exchange, session, brought)).catch(this.storeFailed);
  }

  invite(exchange: Exchange): Invitation | undefined {
    const { leadsToLogin, signIn } = this.settings;
    if (!leadsToLogin || !isNavigation(exchange)) return undefined;
    const query = exchange.rawQuery === "" ? "" : `?${exchange.rawQuery}`;
    return signIn.begin(exchange, this.returnTo(exchange.path + query));
  }

  conceal(exchange: Exchange): void {
    const { site, accessTokenHeader, idTokenHeader } = this.settings;
    site.conceal(exchange);
    if (accessTokenHeader === "" && idTokenHeader === "") return;
    const session = this.accepted.get(exchange);
    const { fields } = exchange.request;
    if (idTokenHeader !== "") {
      // What a client writes there is no token of ours.
      fields.remove(idTokenHeader);
      if (session !== undefined)
        fields.add(idTokenHeader, valueFor(idTokenHeader, session.idToken));
    }
    if (accessTokenHeader === "") return;
    if (accessTokenHeader !== "authorization" || session !== undefined) {
      fields.remove(accessTokenHeader);
    }
    if (session !== undefined) {
      fields.add(accessTokenHeader, valueFor(accessTokenHeader, session.accessToken));
    }
  }

  onResponse(exchange: Exchange): void {
    this.settings.pending.addTo(exchange);
  }

  /** The pages of this policy are no place to come back to. */
  private returnTo(path: string): string {
    const { login, callback, logout } = this.settings.paths;
    const safe = returnPath(path);
    const bare = safe.split("?", 1)[0]!;
    return bare === login || bare === callback || bare === logout ? "/" : safe;
  }

  private judge(
    exchange: Exchange,
    session: Session | null,
    brought: Brought,
  ): Judgement | Promise<Judgement> {
    if (session === null) return null;
    const { renewal, clock, store } = this.settings;
    const now = clock.now();
    if (renewal.isDue(session, now)) {
      // Taken before it waits.
      const lines = this.settings.pending.of(exchange);
      const renewed = renewal.renew(session, now);
      if (!(renewed instanceof Promise)) return this.goOn(exchange, renewed, brought, lines);
      return renewed
        .then((late) => this.goOn(exchange, late, brought, lines))
        .catch(this.storeFailed);
    }
    if (session.accessToken !== "" && session.accessEndsAtMs > 0 && now >= session.accessEndsAtMs) {
      return null;
    }
    const seen = this.isTouchDue(session, now) ? { ...session, seenAtMs: now } : session;
    if (seen !== session) {
      const kept = store.update(seen);
      if (kept instanceof Promise) kept.catch(() => {});
    }
    const fresh = store.freshTicket(brought.ticket, seen);
    if (fresh !== null) this.write(fresh, seen, brought, this.settings.pending.of(exchange));
    return this.accept(exchange, seen, now);
  }

  private isTouchDue({ seenAtMs }: Session, now: number): boolean {
    const { idleMs } = this.settings.limits;
    return idleMs > 0 && now - seenAtMs > idleMs / IDLE_SHARE;
  }

  private goOn(exchange: Exchange, renewed: Renewal, brought: Brought, lines: string[]): Judgement {
    if (renewed === "away") return providerAway;
    if (renewed === null) {
      lines.push(...brought.cookies.session.clear(brought.header));
      return null;
    }
    const fresh = this.settings.store.freshTicket(brought.ticket, renewed);
    if (fresh !== null) this.write(fresh, renewed, brought, lines);
    return this.accept(exchange, renewed, this.settings.clock.now());
  }

  private write(ticket: string, session: Session, brought: Brought, lines: string[]): void {
    const { limits, isPersistent, clock, log } = this.settings;
    const leftS = Math.ceil((session.startedAtMs + limits.ttlMs - clock.now()) / 1000);
    const { session: cookie } = brought.cookies;
    const written = cookie.write(ticket, brought.header, isPersistent ? leftS : 0);
    if (written === null) log.error("a session is too large for cookies", { bytes: ticket.length });
    else lines.push(...written);
  }

  private accept(exchange: Exchange, session: Session, now: number): Judgement {
    const { accessTokenHeader, idTokenHeader } = this.settings;
    if (accessTokenHeader !== "" || idTokenHeader !== "") this.accepted.set(exchange, session);
    return this.identityOf(session, now);
  }

  private identityOf(session: Session, now: number): Identity | Fault {
    const { identities, limits } = this.settings;
    const { version } = identities.consumers;
    const known = this.identities.get(session);
    if (known !== undefined && known.consumersVersion === version) return known.identity;
    const { idToken, userinfo, scope } = session;
    const claims = Object.freeze({ scope, ...userinfo, ...claimsOf(idToken) });
    const identity = identities.identityOf(claims, sessionEndsAt(session, limits), now);
    if (!(identity instanceof Identity)) return nobodyKnown;
    this.identities.set(session, { consumersVersion: version, identity });
    return identity;
  }

  private readonly storeFailed = (error: unknown): Fault => {
    this.settings.log.warn("a session could not be read", { reason: String(error) });
    return storeAway;
  };
}

function valueFor(header: string, token: string): string {
  return header === "authorization" ? `Bearer ${token}` : token;
}
