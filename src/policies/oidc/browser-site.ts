import type { Fault } from "../../base/faults.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { ownOrigin } from "../../policy/own-origin.ts";
import { needsHttps } from "./oidc-faults.ts";
import { foreignCookies, OwnCookies, type SessionCookieOptions } from "./own-cookies.ts";

/** A name or address of this machine, without port. */
const LOOPBACK = /^(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/;

/** How a browser sees the gateway in one request. */
export interface Sight {
  readonly origin: string;
  readonly cookies: OwnCookies;
}

/** How browsers see the gateway: over https, or over http on this machine where that is allowed. */
export class BrowserSite {
  private readonly secure: OwnCookies;
  private readonly plain: OwnCookies | null;
  private readonly owners: readonly OwnCookies[];
  /** As configured; "" where each request says it. */
  private readonly origin: string;

  constructor(cookie: SessionCookieOptions, { origin = "", allowsHttp = false }) {
    this.secure = new OwnCookies(cookie, true);
    this.plain = allowsHttp ? new OwnCookies(cookie, false) : null;
    this.owners = this.plain === null ? [this.secure] : [this.secure, this.plain];
    this.origin = origin;
  }

  /** Name of the session's cookie over https. */
  get cookieName(): string {
    return this.secure.session.name;
  }

  /** Cookies of this request's scheme; null where there can be none. */
  cookiesOf(exchange: Exchange): OwnCookies | null {
    if (exchange.scheme === "https") return this.secure;
    return LOOPBACK.test(exchange.host) ? this.plain : null;
  }

  sightOf(exchange: Exchange): Sight | Fault {
    const cookies = this.cookiesOf(exchange);
    const origin = this.origin === "" ? ownOrigin(exchange) : this.origin;
    return cookies === null || origin === "" ? needsHttps : { origin, cookies };
  }

  /** Takes the gateway's own cookies out of the request. */
  conceal(exchange: Exchange): void {
    const header = exchange.header("cookie");
    if (header === undefined) return;
    const left = foreignCookies(header, this.owners);
    if (left === header) return;
    if (left === "") exchange.request.fields.remove("cookie");
    else exchange.request.fields.set("cookie", left);
  }
}
