import { Fault } from "../../base/faults.ts";
import type { Log } from "../../base/log/log.ts";
import type { Counter } from "../../base/metrics/metric-view.ts";
import { crossSiteFault } from "../../policy/cross-site.ts";
import type { Clock } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { reply, type Reply } from "../../policy/reply.ts";
import type { BrowserSite, Sight } from "./browser-site.ts";
import { storeAway } from "./oidc-faults.ts";
import type { OpenidProvider } from "./openid-provider.ts";
import type { PendingCookies } from "./pending-cookies.ts";
import type { SessionStore } from "./session-store.ts";
import type { Session } from "./session.ts";

export interface SignOutSettings {
  readonly provider: OpenidProvider;
  readonly store: SessionStore;
  readonly site: BrowserSite;
  readonly pending: PendingCookies;
  readonly clock: Clock;
  readonly log: Log;
  /** Path here, or a whole address. */
  readonly afterwards: string;
  /** At the provider too. */
  readonly endsProviderSession: boolean;
  readonly signedOut: Counter;
}

const NO_ORIGINS: ReadonlySet<string> = new Set();

/** Ends the session here and, where it has a page for that, at the provider (OpenID RP-Initiated Logout). */
export class SignOut {
  private readonly settings: SignOutSettings;

  constructor(settings: SignOutSettings) {
    this.settings = settings;
  }

  async run(exchange: Exchange): Promise<Reply | Fault> {
    // A page of another site must not sign its visitors out.
    const foreign = crossSiteFault(exchange, NO_ORIGINS);
    if (foreign !== null) return foreign;
    const { site, store, pending, clock, signedOut, log } = this.settings;
    const sight = site.sightOf(exchange);
    if (sight instanceof Fault) return sight;
    const header = exchange.header("cookie") ?? "";
    const lines = pending.of(exchange);
    const ticket = sight.cookies.session.read(header);
    let session: Session | null = null;
    try {
      session = ticket === null ? null : await store.open(ticket, clock.now());
      if (session !== null) await store.end(session);
    } catch (error) {
      log.warn("a session could not be ended", { reason: String(error) });
      return storeAway;
    }
    lines.push(...sight.cookies.session.clear(header));
    if (session !== null) signedOut.add(1);
    return reply(303, { location: await this.leave(session, sight) });
  }

  /** Where the browser goes then. */
  private async leave(session: Session | null, { origin }: Sight): Promise<string> {
    const { provider, afterwards, endsProviderSession } = this.settings;
    const home = afterwards.startsWith("/") ? origin + afterwards : afterwards;
    if (session === null) return home;
    if (session.refreshToken !== "") provider.revoke(session.refreshToken).catch(() => {});
    if (!endsProviderSession) return home;
    // Signed out here it is in any case.
    await provider.ready().catch(() => {});
    const parameters = { id_token_hint: session.idToken, post_logout_redirect_uri: home };
    return provider.endSessionUrl(parameters) ?? home;
  }
}
