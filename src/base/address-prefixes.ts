import { ipv6Groups } from "./ipv6-groups.ts";
import { normalizeAddress } from "./trusted-addresses.ts";

/** Answers remembered; who hops through addresses can only make the memory start anew. */
const REMEMBERED_MAX = 4096;

/**
 * Addresses by whom they are likely to belong to: an IPv4 address is one client, of IPv6 a whole prefix
 * is, since whoever has one address has 2^64 of them. Costs one map look-up for addresses seen before.
 */
export class AddressPrefixes {
  private readonly ipv6Bits: number;
  private readonly remembered: Map<string, string>;

  /** @param ipv6Bits 1 to 128 */
  constructor(ipv6Bits: number) {
    this.ipv6Bits = ipv6Bits;
    this.remembered = new Map();
  }

  /**
   * `192.0.2.1` stays, `::ffff:192.0.2.1` is the same, `2001:db8:0:1::7` becomes `2001:db8:0:1::/64`. ""
   * for what is no address: Unix sockets have none.
   */
  of(address: string): string {
    if (address.indexOf(":") < 0) return address;
    let prefix = this.remembered.get(address);
    if (prefix !== undefined) return prefix;
    prefix = this.compute(address);
    if (this.remembered.size >= REMEMBERED_MAX) this.remembered.clear();
    this.remembered.set(address, prefix);
    return prefix;
  }

  private compute(address: string): string {
    const normalized = normalizeAddress(address);
    if (!normalized.includes(":")) return normalized;
    const groups = ipv6Groups(normalized);
    const kept: string[] = [];
    for (let bits = this.ipv6Bits, index = 0; bits > 0; bits -= 16, index++) {
      const mask = bits >= 16 ? 0xffff : (0xffff << (16 - bits)) & 0xffff;
      kept.push((groups[index]! & mask).toString(16));
    }
    return `${kept.join(":")}${kept.length < 8 ? "::" : ""}/${this.ipv6Bits}`;
  }
}
