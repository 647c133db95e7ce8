import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether an address or name is this machine, seen from itself. */
export function isLoopback(host: string): boolean {
  const kind = isIP(host);
  if (kind === 0) return host === "localhost";
  return loopback.check(host, kind === 4 ? "ipv4" : "ipv6");
}

/**
 * Whether a request with this Host header is for the admin server. A server on a loopback address trusts
 * whoever reaches it, so a web page must not get there by a name of its own that resolves to 127.0.0.1 (DNS
 * rebinding): there only loopback names are answered. The port does not matter, it may be forwarded.
 * @param header as received; undefined in HTTP/1.0, which no browser speaks.
 * @param boundHost the address or name the server was told to listen on.
 */
export function isAllowedHost(header: string | undefined, boundHost: string): boolean {
  if (header === undefined || !isLoopback(boundHost)) return true;
  const name = hostName(header.toLowerCase());
  return name === boundHost || isLoopback(name) || name.endsWith(".localhost");
}

/** `name:port`, `name`, `[::1]:port` -> the name. */
function hostName(header: string): string {
  if (header.startsWith("[")) return header.slice(1, header.indexOf("]"));
  const colon = header.indexOf(":");
  return colon < 0 ? header : header.slice(0, colon);
}
