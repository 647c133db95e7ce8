/**
 * trusted-addresses: which peers are believed about the client behind them.
 */
import { BlockList, SocketAddress, isIPv4, isIPv6 } from "node:net";

/** Answers remembered; forged addresses can only make the memory start anew. */
const rememberedMax = 1024;

/** A set of IP ranges. Membership costs one map look-up for addresses seen before. */
export class TrustedAddresses {
  readonly isEmpty: boolean;
  readonly #list = new BlockList();
  readonly #remembered = new Map<string, boolean>();

  /**
   * @param ranges addresses (`10.1.2.3`, `2001:db8::1`) and CIDR ranges (`10.0.0.0/8`).
   * @throws Error for anything else.
   */
  constructor(ranges: readonly string[]) {
    this.isEmpty = ranges.length === 0;
    for (const range of ranges) this.#add(range);
  }

  /** @param address as a socket tells it; "" (a Unix socket) and what is no address are not in. */
  has(address: string): boolean {
    if (this.isEmpty) return false;
    const remembered = this.#remembered.get(address);
    if (remembered !== undefined) return remembered;
    const normalized = normalizeAddress(address);
    const trusted = normalized !== "" && this.#list.check(normalized, familyOf(normalized));
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
    this.#remembered.set(address, trusted);
    return trusted;
  }

  #add(range: string): void {
    const slash = range.indexOf("/");
    const written = slash < 0 ? range : range.slice(0, slash);
    const address = normalizeAddress(written);
    if (address === "") throw new Error(`${JSON.stringify(range)} is not an address range`);
    const family = familyOf(address);
    const bitsMax = family === "ipv4" ? 32 : 128;
    let bits = slash < 0 ? bitsMax : parseBits(range.slice(slash + 1));
    // ::ffff:10.0.0.0/104 is 10.0.0.0/8, as what it is compared with is IPv4 too.
    if (slash >= 0 && family === "ipv4" && !isIPv4(written)) bits -= 96;
    if (!(bits >= 0 && bits <= bitsMax)) {
      throw new Error(`${JSON.stringify(range)} is not an address range`);
    }
    this.#list.addSubnet(address, bits, family);
  }
}

function parseBits(text: string): number {
  return /^\d{1,3}$/.test(text) ? Number(text) : NaN;
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}

/**
 * The one way to write an IP address: IPv4 for IPv4 mapped into IPv6, IPv6 lower-case and shortened,
 * without a zone. "" for what is no address.
 */
export function normalizeAddress(text: string): string {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return "";
  const zone = text.indexOf("%");
  const address = zone < 0 ? text : text.slice(0, zone);
  const canonical = new SocketAddress({ address, family: "ipv6" }).address;
  // Written so by the C library: mapped addresses, and only those, end in dotted form after ::ffff:.
  if (canonical.startsWith("::ffff:") && isIPv4(canonical.slice(7))) return canonical.slice(7);
  return canonical;
}
