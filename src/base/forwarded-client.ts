/**
 * forwarded-client: who the client is, by what trusted proxies say.
 *
 * Each proxy adds, at the right end, whom it was called by. So the list is read from the right for as
 * long as the one who speaks is trusted; the first address that is not is the client, and what stands
 * to the left of it, the client may have made up. Both readers work from the right end only, so that
 * nothing a client sent can change how the part that proxies added is read.
 */
import { normalizeAddress } from "./trusted-addresses.ts";
import type { TrustedAddresses } from "./trusted-addresses.ts";

/** Hops looked at; real chains have a handful. */
const hopsMax = 32;

/**
 * The client's address by `X-Forwarded-For`.
 *
 * @param value all lines of the header, joined by commas.
 * @param peer the address of the connection.
 * @returns a normalised address: the first from the right that is not trusted, else the leftmost; the
 * hop before it where an entry is no address; `peer` when it is not trusted itself.
 */
export function parseForwardedFor(value: string, trusted: TrustedAddresses, peer: string): string {
  let client = normalizeAddress(peer);
  let end = value.length;
  for (let hop = 0; hop < hopsMax && end > 0 && trusted.has(client); hop++) {
    const comma = value.lastIndexOf(",", end - 1);
    const address = parseNode(value.slice(comma + 1, end).trim());
    if (address === "") break;
    client = address;
    end = comma;
  }
  return client;
}

/** What `Forwarded` says of the client's request. */
export interface ForwardedClient {
  /** As from `parseForwardedFor`. */
  readonly address: string;
  /** Lower-case; "" when not said. */
  readonly proto: string;
  /** Host, perhaps with a port, as said; "" when not said. */
  readonly host: string;
}

/** The client by `Forwarded` (RFC 7239); parameters as for `parseForwardedFor`. */
export function parseForwarded(
  value: string,
  trusted: TrustedAddresses,
  peer: string,
): ForwardedClient {
  let client: ForwardedClient = { address: normalizeAddress(peer), proto: "", host: "" };
  let end = value.length;
  for (let hop = 0; hop < hopsMax && end > 0 && trusted.has(client.address); hop++) {
    const start = elementStart(value, end);
    if (start < 0) break;
    const element = parseElement(value.slice(start, end));
    if (element === null) break;
    client = element;
    end = start - 1;
  }
  return client;
}

/**
 * An address, perhaps with a port: `1.2.3.4`, `1.2.3.4:80`, `[::1]:80`, `[::1]` or `::1`; "" for
 * anything else, `unknown` and the made-up names of RFC 7239 (`_hidden`) among it.
 */
function parseNode(node: string): string {
  if (node.startsWith("[")) {
    const bracket = node.indexOf("]");
    const rest = node.slice(bracket + 1);
    if (bracket < 0 || (rest !== "" && !nodePort.test(rest))) return "";
    const address = node.slice(1, bracket);
    return address.includes(":") ? normalizeAddress(address) : "";
  }
  const colon = node.indexOf(":");
  if (colon < 0 || colon !== node.lastIndexOf(":")) return normalizeAddress(node);
  return nodePort.test(node.slice(colon)) ? normalizeAddress(node.slice(0, colon)) : "";
}

const nodePort = /^:(?:\d{1,5}|_[\w.-]+)$/;

/**
 * Where the last element before `end` starts, or -1 when it is malformed. Goes leftwards: a quote met
 * outside a quoted string closes one, which opens at the first quote that follows `=`.
 */
function elementStart(value: string, end: number): number {
  let position = end - 1;
  while (position >= 0 && value[position] !== ",") {
    if (value[position] === '"') {
      position = quotedStart(value, position);
      if (position < 0) return -1;
    }
    position--;
  }
  return position + 1;
}

function quotedStart(value: string, closing: number): number {
  let position = value.lastIndexOf('"', closing - 1);
  while (position > 0) {
    const before = value[position - 1];
    if (before === "=") return position;
    if (before !== "\\") return -1;
    position = value.lastIndexOf('"', position - 1);
  }
  return -1;
}

const pair =
  /[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~:[\]-]+)|"((?:[^"\\]|\\.)*)")[ \t]*(;|$)/y;

/** The parameters of one element; null when it is malformed or does not name an address. */
function parseElement(element: string): ForwardedClient | null {
  let address = "";
  let proto = "";
  let host = "";
  const seen = new Set<string>();
  pair.lastIndex = 0;
  while (pair.lastIndex < element.length) {
    const found = pair.exec(element);
    if (found === null) return null;
    const name = found[1]!.toLowerCase();
    // Each parameter may be given once (RFC 7239, section 4).
    if (seen.has(name)) return null;
    seen.add(name);
    const value = found[2] ?? found[3]!.replace(/\\(.)/g, "$1");
    if (name === "for") address = parseNode(value);
    else if (name === "proto") proto = value.toLowerCase();
    else if (name === "host") host = value;
  }
  return address === "" ? null : { address, proto, host };
}
