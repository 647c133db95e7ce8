import { Fault } from "../../base/faults.ts";
import { crossSiteRequest } from "../../policy/cross-site.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { CsrfTokens } from "./csrf-token.ts";

export interface TokenOptions {
  readonly secret: readonly string[];
  /** Cookie of the session; undefined: who has been identified. */
  readonly session?: string | undefined;
  readonly header: string;
  readonly cookie: string;
}

const wrongToken = new Fault(
  crossSiteRequest,
  "The request does not bring the token that its session was given.",
  "token",
);
/** Another user would be given the cookie along with the response. */
const SHARED = /\b(?:public|s-maxage)\b/i;

/** Gives pages a token in a cookie, and wants it back in a header: the double submit, signed. */
export class TokenCheck {
  private readonly tokens: CsrfTokens;
  private readonly options: TokenOptions;

  constructor(options: TokenOptions) {
    this.options = options;
    this.tokens = new CsrfTokens(options.secret);
  }

  /** null when the token is the session's. */
  fault(exchange: Exchange): Fault | null {
    const { header, cookie } = this.options;
    const sent = exchange.header(header);
    // A page of another site cannot set the header; a neighbouring one can plant the cookie, but not sign it.
    if (sent === undefined || sent !== exchange.cookie(cookie)) return wrongToken;
    return this.tokens.isFor(sent, this.sessionOf(exchange)) ? null : wrongToken;
  }

  /** Sets the cookie where the browser has none that holds. */
  issue(exchange: Exchange): void {
    if (exchange.method !== "GET" && exchange.method !== "HEAD") return;
    const { cookie } = this.options;
    const session = this.sessionOf(exchange);
    const known = exchange.cookie(cookie);
    if (known !== undefined && this.tokens.isFor(known, session)) return;
    const { fields } = exchange.response;
    if (SHARED.test(fields.get("cache-control") ?? "")) return;
    const secure = exchange.scheme === "https" ? "; Secure" : "";
    const token = this.tokens.issue(session);
    fields.add("set-cookie", `${cookie}=${token}; Path=/; SameSite=Lax${secure}`);
  }

  private sessionOf(exchange: Exchange): string {
    const { session } = this.options;
    if (session !== undefined) return `cookie\n${exchange.cookie(session) ?? ""}`;
    const { identity } = exchange;
    if (identity === null) return "nobody";
    return `identity\n${identity.issuer}\n${identity.subject}\n${identity.credential}`;
  }
}
