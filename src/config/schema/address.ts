import { isIPv4, isIPv6 } from "node:net";
import { Refusal } from "../../policy/values/refusal.ts";

/** Where to listen or connect: a host and port, or the path of a Unix socket (then port 0). */
export interface Address {
  host: string;
  port: number;
  /** Path of the Unix socket; absent for TCP. */
  path?: string;
}

const HINT = "write a port (8080), host:port (127.0.0.1:8080, [::]:8080) or unix:/path.sock";
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

/** `8080`, `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080` or `unix:/path.sock`. */
export function parseAddress(text: string, hostDefault: string): Address {
  if (text.startsWith("unix:")) return { host: "", port: 0, path: parseSocketPath(text.slice(5)) };
  if (/^\d+$/.test(text)) return { host: hostDefault, port: parsePort(text) };
  const colon = text.lastIndexOf(":");
  if (colon === -1) throw new Refusal(`${JSON.stringify(text)} has no port`, HINT);
  const host = text.slice(0, colon);
  if (host.includes(":") && !host.startsWith("[")) {
    throw new Refusal(`${JSON.stringify(text)} is not an address`, "write IPv6 as [::1]:8080");
  }
  return {
    host: parseHost(host === "" ? hostDefault : host),
    port: parsePort(text.slice(colon + 1)),
  };
}

/** A name, an IPv4 address, or an IPv6 address in or out of brackets; returned without brackets. */
export function parseHost(text: string): string {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (isIPv6(bare) && !bare.includes("%")) return bare.toLowerCase();
  if (bare !== text) throw new Refusal(`${text} is not an IPv6 address`);
  if (isIPv4(text)) return text;
  // A name of digits and dots only is an IPv4 address with a slip.
  if (/^[\d.]+$/.test(text)) throw new Refusal(`${text} is not an IPv4 address`);
  if (!HOST_NAME.test(text)) {
    throw new Refusal(`${JSON.stringify(text)} is not a host name or address`);
  }
  return text.toLowerCase();
}

/** A port from 0 (any free one) to 65535. */
export function parsePort(text: string): number {
  const port = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) {
    throw new Refusal(`${JSON.stringify(text)} is not a port`, "a number from 0 to 65535");
  }
  return port;
}

/** Path of a Unix socket. The kernel keeps 108 bytes for it with its closing NUL (unix(7)). */
export function parseSocketPath(text: string): string {
  if (text === "") throw new Refusal("unix: names no socket", "write unix:/path.sock");
  if (Buffer.byteLength(text) > 107) throw new Refusal("the socket path is longer than 107 bytes");
  if (text.includes("\0")) throw new Refusal("the socket path has a NUL in it");
  return text;
}

/** `host:port` with IPv6 in brackets, or `unix:path`: the identity of a listener or target. */
export function formatAddress(address: Address): string {
  if (address.path !== undefined) return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** The value of a Host header: `host` or `host:port` (RFC 9110 7.2). */
export function parseHostHeader(written: string): string {
  const colon = written.lastIndexOf(":");
  if (colon === -1 || written.endsWith("]")) return bracketed(parseHost(written));
  return `${bracketed(parseHost(written.slice(0, colon)))}:${parsePort(written.slice(colon + 1))}`;
}

function bracketed(name: string): string {
  return name.includes(":") ? `[${name}]` : name;
}
