import { ChunkedCookie, type CookieAttributes } from "./chunked-cookie.ts";
import { readCookies, withoutCookies } from "./read-cookies.ts";

/** Of a sign-in under way: the first characters of its `state`. */
const LOGIN_ID_LENGTH = 12;

export type SessionCookieOptions = Omit<CookieAttributes, "isSecure" | "name"> & {
  /** As users wrote it; "" for the usual one. */
  readonly name: string;
};

/** The cookies that the gateway owns on one scheme: the session's, and one for each sign-in under way. */
export class OwnCookies {
  readonly session: ChunkedCookie;
  private readonly loginPrefix: string;
  private readonly login: ChunkedCookie;

  constructor(options: SessionCookieOptions, isSecure: boolean) {
    const name = options.name === "" ? usualName(options, isSecure) : options.name;
    this.session = new ChunkedCookie({ ...options, name, isSecure });
    const bare = name.replace(/^__(?:Host|Secure)-/, "");
    const loginName = `${isSecure ? "__Host-" : ""}${bare}-login`;
    this.loginPrefix = `${loginName}.`;
    // The browser comes back from another site, so Lax is the strictest that works; no other host sets it.
    const scope = { path: "/", domain: "", sameSite: "lax" } as const;
    this.login = new ChunkedCookie({ name: loginName, ...scope, isSecure });
  }

  owns(name: string): boolean {
    return this.session.owns(name) || name.startsWith(this.loginPrefix);
  }

  /** Name of the cookie of a sign-in. */
  loginName(state: string): string {
    return this.loginPrefix + state.slice(0, LOGIN_ID_LENGTH);
  }

  /** Set-Cookie value that begins a sign-in. */
  beginLogin(name: string, value: string, maxAgeS: number): string {
    return `${name}=${value}${this.login.attributes}; Max-Age=${maxAgeS}`;
  }

  endLogin(name: string): string {
    return this.login.expired(name);
  }

  /** Sign-ins under way in this browser: names and values. */
  logins(header: string): [name: string, value: string][] {
    const logins: [string, string][] = [];
    readCookies(header, (name, value) => {
      if (name.startsWith(this.loginPrefix)) logins.push([name, value]);
    });
    return logins;
  }
}

/** What services get of a Cookie header; "" where nothing is left. */
export function foreignCookies(header: string, owners: readonly OwnCookies[]): string {
  return withoutCookies(header, (name) => owners.some((cookies) => cookies.owns(name)));
}

/** `__Host-` where a browser lets it: for this host and all of its paths, over https. */
function usualName({ path, domain }: SessionCookieOptions, isSecure: boolean): string {
  if (!isSecure) return "gateward-session";
  return path === "/" && domain === "" ? "__Host-gateward-session" : "__Secure-gateward-session";
}
