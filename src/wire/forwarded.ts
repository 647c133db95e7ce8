// HOT
/**
 * forwarded: the fields that tell a service about the client: X-Forwarded-* and Forwarded (RFC 7239).
 *
 * Nearly all of them are the same for every request of a connection, so a connection has them ready
 * as text and a request adds its host.
 */

/** What a connection's fields are made from. */
export interface ForwardingSettings {
  /** Normalised; "" for a Unix socket. */
  readonly peerAddress: string;
  readonly localPort: number;
  readonly isTls: boolean;
  /** Send X-Forwarded-For, -Proto, -Host and -Port. */
  readonly xForwarded: boolean;
  /** Send Forwarded. */
  readonly forwarded: boolean;
}

/** What a trusted proxy sent; "" for what it did not send. Several lines are joined by `, `. */
export interface SentForwarding {
  readonly xFor: string;
  readonly xProto: string;
  readonly xHost: string;
  readonly xPort: string;
  readonly forwarded: string;
}

/** The fields of one connection, as text: made when it opens, read by each of its requests. */
export class Forwarding {
  readonly settings: ForwardingSettings;
  readonly proto: string;
  /** For a peer that is not trusted: all X-Forwarded lines but the host. */
  readonly xStart: string;
  /** The Forwarded line up to its host. */
  readonly forwardedStart: string;
  /** The same element of Forwarded, for the end of a list that a trusted peer sent. */
  readonly forwardedElement: string;

  constructor(settings: ForwardingSettings) {
    const { peerAddress, localPort, isTls } = settings;
    const proto = isTls ? "https" : "http";
    this.settings = settings;
    this.proto = proto;
    this.xStart = "";
    if (settings.xForwarded) {
      if (peerAddress !== "") this.xStart += `x-forwarded-for: ${peerAddress}\r\n`;
      this.xStart += `x-forwarded-proto: ${proto}\r\n`;
      if (localPort > 0) this.xStart += `x-forwarded-port: ${localPort}\r\n`;
    }
    this.forwardedElement = `for=${forwardedNode(peerAddress)};proto=${proto}`;
    this.forwardedStart = settings.forwarded ? `forwarded: ${this.forwardedElement}` : "";
  }
}

/**
 * Field lines, each ended by CRLF, that replace whatever the client sent.
 *
 * @param host Host as the client sent it, checked to be host and port; "" for none.
 */
export function forwardedLines(connection: Forwarding, host: string): string {
  let lines = connection.xStart;
  if (host !== "" && lines !== "") lines += "x-forwarded-host: " + host + "\r\n";
  if (connection.forwardedStart !== "") {
    lines += connection.forwardedStart;
    lines += host === "" ? "\r\n" : ';host="' + host + '"\r\n';
  }
  return lines;
}

/**
 * Field lines for a request of a trusted peer: its lists go on, with the peer at their end; scheme,
 * host and port are what it said, where it said something.
 */
export function forwardedLinesAfter(
  connection: Forwarding,
  host: string,
  sent: SentForwarding,
): string {
  const { peerAddress, localPort, xForwarded, forwarded } = connection.settings;
  let lines = "";
  if (xForwarded) {
    const list = joinList(sent.xFor, peerAddress);
    if (list !== "") lines += "x-forwarded-for: " + list + "\r\n";
    const proto = sent.xProto === "" ? connection.proto : sent.xProto;
    lines += "x-forwarded-proto: " + proto + "\r\n";
    const port = sent.xPort === "" ? portFor(sent.xProto, localPort) : sent.xPort;
    if (port !== "") lines += "x-forwarded-port: " + port + "\r\n";
    const named = sent.xHost === "" ? host : sent.xHost;
    if (named !== "") lines += "x-forwarded-host: " + named + "\r\n";
  }
  if (forwarded) {
    let element = connection.forwardedElement;
    if (host !== "") element += ';host="' + host + '"';
    lines += "forwarded: " + joinList(sent.forwarded, element) + "\r\n";
  }
  return lines;
}

/**
 * The scheme of the client's request by X-Forwarded-Proto: "http" or "https", or "" when it says
 * neither. Of a list the first counts: the hop nearest to the client.
 */
export function parseForwardedProto(value: string): string {
  const comma = value.indexOf(",");
  const first = (comma < 0 ? value : value.slice(0, comma)).trim().toLowerCase();
  if (first === "https" || first === "wss") return "https";
  return first === "http" || first === "ws" ? "http" : "";
}

/** A node of RFC 7239, section 6: IPv6 in brackets and quotes, `unknown` for a Unix socket. */
function forwardedNode(address: string): string {
  if (address === "") return "unknown";
  return address.indexOf(":") < 0 ? address : '"[' + address + ']"';
}

function joinList(sent: string, added: string): string {
  if (sent === "") return added;
  return added === "" ? sent : sent + ", " + added;
}

/** A proxy that tells the scheme but no port was called at the scheme's own. */
function portFor(sentProto: string, localPort: number): string {
  const proto = parseForwardedProto(sentProto);
  if (proto === "https") return "443";
  if (proto === "http") return "80";
  return localPort > 0 ? String(localPort) : "";
}
