// HOT
/** Splits and checks the Host of a request, RFC 9112 section 3.2 and RFC 3986 section 3.2.2. */

/** reg-name, IPv4 or IP-literal, and perhaps a port; no user information, nothing empty. */
const AUTHORITY =
  /^(?:[A-Za-z0-9_~!$&'()*+,;=.-]|%[0-9A-Fa-f]{2})+(?::[0-9]{0,5})?$|^\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{0,5})?$/;

export class Authority {
  /** As given. */
  raw: string;
  /** Lower case, without a port; an IPv6 address in brackets; without a trailing dot. */
  host: string;
  /** -1 when none is given. */
  port: number;

  constructor() {
    this.raw = "";
    this.host = "";
    this.port = -1;
  }

  /**
   * Reads the authority at `text[start, end)`. The one read last is remembered and compared in place,
   * since most requests of a worker name the same few hosts.
   *
   * @returns false if it is malformed.
   */
  read(text: string, start: number, end: number): boolean {
    if (this.isLast(text, start, end)) return true;
    const raw = text.slice(start, end);
    if (!AUTHORITY.test(raw)) return false;
    const bracket = raw.lastIndexOf("]");
    const colon = raw.indexOf(":", bracket + 1);
    let host = colon < 0 ? raw : raw.slice(0, colon);
    host = host.toLowerCase();
    if (host.length > 1 && host.endsWith(".")) host = host.slice(0, -1);
    const port = colon < 0 || colon === raw.length - 1 ? -1 : Number(raw.slice(colon + 1));
    if (port > 65_535) return false;
    this.raw = raw;
    this.host = host;
    this.port = port;
    return true;
  }

  private isLast(text: string, start: number, end: number): boolean {
    const { raw } = this;
    const { length } = raw;
    if (length === 0 || end - start !== length) return false;
    for (let at = 0; at < length; at++) {
      if (text.charCodeAt(start + at) !== raw.charCodeAt(at)) return false;
    }
    return true;
  }
}
