import { BlockList, isIP, isIPv4 } from "node:net";
import { RoutingError } from "./routing-error.ts";

interface Range {
  readonly address: string;
  readonly bits: number;
  readonly family: "ipv4" | "ipv6";
}

/** A set of client addresses: addresses and CIDR ranges, of both families. */
export class ClientRanges {
  readonly sources: readonly string[];
  /** Prefix length of the widest range, IPv4 counted as the end of the IPv6 space: 0 to 128. */
  readonly bitsMin: number;
  private readonly ranges: readonly Range[];
  private readonly list: BlockList;

  constructor(sources: readonly string[], ranges: readonly Range[]) {
    this.sources = sources;
    this.ranges = ranges;
    this.bitsMin = ranges.reduce((bits, range) => Math.min(bits, wideBits(range)), 128);
    this.list = listOf(ranges);
  }

  /** Whether the address, as the socket or a trusted header gives it, is in one of the ranges. */
  test(address: string): boolean {
    // An IPv4 client on a dual-stack listener.
    const plain = /^::ffff:[\d.]+$/i.test(address) ? address.slice(7) : address;
    const family = isIP(plain);
    return family !== 0 && this.list.check(plain, family === 4 ? "ipv4" : "ipv6");
  }

  /** Whether no address is in both: ranges overlap only where one holds the other's start. */
  isDisjoint(other: ClientRanges): boolean {
    const overlaps =
      this.ranges.some((range) => other.list.check(range.address, range.family)) ||
      other.ranges.some((range) => this.list.check(range.address, range.family));
    return !overlaps;
  }
}

/** @throws RoutingError for what is not an address or a range. */
export function compileClientRanges(sources: readonly string[]): ClientRanges {
  return new ClientRanges(sources, sources.map(parseRange));
}

function parseRange(source: string): Range {
  const [address = "", bitsText, more] = source.split("/");
  const version = isIP(address);
  const bitsMax = version === 4 ? 32 : 128;
  const bits = bitsText === undefined ? bitsMax : Number(/^\d{1,3}$/.exec(bitsText)?.[0] ?? NaN);
  if (version === 0 || more !== undefined || !(bits <= bitsMax)) {
    const hint = "10.0.0.0/8, 192.168.1.7 or 2001:db8::/32";
    throw new RoutingError(`${JSON.stringify(source)} is not an address range`, hint);
  }
  // The first address of the range: `isDisjoint` compares by it.
  const family = version === 4 ? "ipv4" : "ipv6";
  return { address: firstAddress(address, bits), bits, family };
}

function wideBits(range: Range): number {
  return range.family === "ipv4" ? range.bits + 96 : range.bits;
}

function listOf(ranges: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const { address, bits, family } of ranges) list.addSubnet(address, bits, family);
  return list;
}

function firstAddress(address: string, bits: number): string {
  const groups = isIPv4(address) ? address.split(".").map(Number) : ipv6Groups(address);
  const width = groups.length === 4 ? 8 : 16;
  const masked = groups.map((group, index) => {
    const kept = Math.min(width, Math.max(0, bits - index * width));
    return group & ((2 ** width - 1) << (width - kept)) & (2 ** width - 1);
  });
  if (width === 8) return masked.join(".");
  return masked.map((group) => group.toString(16)).join(":");
}

/** The eight groups of an IPv6 address that `isIP` accepts. */
function ipv6Groups(address: string): number[] {
  // The URL parser knows every way to write one, dotted tails included.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16));
}
