import type { Exchange } from "./exchange.ts";

/** RFC 3986 3.2.2: a name or an address, and perhaps a port. */
const AUTHORITY = /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/**
 * The origin under which browsers see the gateway in this request (RFC 6454): `https://app.example.com`,
 * in lower case and without the scheme's own port. A trusted proxy may tell both scheme and host
 * (X-Forwarded-Proto, X-Forwarded-Host); else the connection and the Host header say them. "" without a host.
 */
export function ownOrigin(exchange: Exchange): string {
  const authority = (forwardedHost(exchange) ?? exchange.authority).toLowerCase();
  if (!AUTHORITY.test(authority)) return "";
  const { scheme } = exchange;
  const ownPort = scheme === "https" ? ":443" : ":80";
  const isOwn = authority.endsWith(ownPort);
  return `${scheme}://${isOwn ? authority.slice(0, -ownPort.length) : authority}`;
}

/** Each proxy may have added its own; the first is what the browser asked for. */
function forwardedHost(exchange: Exchange): string | undefined {
  if (!exchange.peerIsTrusted) return undefined;
  return exchange.header("x-forwarded-host")?.split(",", 1)[0]!.trim();
}
