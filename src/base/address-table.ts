/** address-table: a value for each IP address, by the narrowest of many ranges that it lies in. */
import { isIPv4 } from "node:net";
import { ipv6Groups } from "./ipv6-groups.ts";
import { normalizeAddress } from "./trusted-addresses.ts";

/** In no range. */
export const NO_VALUE = 0;

/** Answers for IPv6 remembered; who hops through addresses can only make the memory start anew. */
const REMEMBERED_MAX = 4096;

const IPV4_MAX = 2 ** 32 - 1;
const IPV6_MAX = (1n << 128n) - 1n;

/** A range as numbers: of IPv4 as `number`, of IPv6 as `bigint`. */
export interface AddressRange {
  readonly isIpv6: boolean;
  readonly first: number | bigint;
  readonly last: number | bigint;
}

/**
 * `10.0.0.0/8`, as `parseCidr` gives it, with its prefix length. `::ffff:10.0.0.0/104` is the same.
 *
 * @throws Error for anything else
 */
export function parseAddressRange(range: string): AddressRange {
  const slash = range.indexOf("/");
  const written = range.slice(0, slash);
  const bits = Number(range.slice(slash + 1));
  const address = slash < 0 ? "" : normalizeAddress(written);
  if (address.includes(":") && bits >= 0 && bits <= 128) {
    const size = 1n << BigInt(128 - bits);
    const number = ipv6Number(address);
    const first = number - (number % size);
    return { isIpv6: true, first, last: first + size - 1n };
  }
  const ipv4Bits = written.includes(":") ? bits - 96 : bits;
  if (!isIPv4(address) || !(ipv4Bits >= 0 && ipv4Bits <= 32)) {
    throw new Error(`${JSON.stringify(range)} is not an address range`);
  }
  const size = 2 ** (32 - ipv4Bits);
  const number = ipv4Number(address);
  const first = number - (number % size);
  return { isIpv6: false, first, last: first + size - 1 };
}

/**
 * Ranges in the order of their first addresses, each before those within it; ranges of one family overlap
 * only where one holds the other. IPv4 comes first.
 */
export function compareRanges(left: AddressRange, right: AddressRange): number {
  if (left.isIpv6 !== right.isIpv6) return left.isIpv6 ? 1 : -1;
  if (left.first !== right.first) return left.first < right.first ? -1 : 1;
  if (left.last === right.last) return 0;
  return left.last > right.last ? -1 : 1;
}

/**
 * Made once, asked often: a hundred thousand ranges cost seventeen comparisons.
 *
 *     10.0.0.0/8 -> 1, 10.1.0.0/16 -> 2     becomes     starts  10.0.0.0  10.1.0.0  10.2.0.0  11.0.0.0
 *                                                       values         1         2         1         0
 */
export class AddressTable {
  private readonly ipv4: Steps;
  private readonly ipv6: Steps;
  private readonly remembered: Map<string, number>;

  /** @param entries values from 1 to 255; of equal ranges the greater value counts. */
  constructor(entries: readonly Entry[]) {
    const sorted = entries.toSorted(
      (left, right) => compareRanges(left.range, right.range) || left.value - right.value,
    );
    const isIpv6 = ({ range }: Entry): boolean => range.isIpv6;
    const from = sorted.findIndex(isIpv6);
    const end = from < 0 ? sorted.length : from;
    this.ipv4 = stepsOf(sorted.slice(0, end), 0, IPV4_MAX);
    this.ipv6 = stepsOf(sorted.slice(end), 0n, IPV6_MAX);
    this.remembered = new Map();
  }

  /** Whether some address has this value; NO_VALUE among them. */
  has(value: number): boolean {
    return [this.ipv4, this.ipv6].some(({ values }) => values.includes(value));
  }

  /** @param address as a socket or a header tells it; what is no address is in no range. */
  find(address: string): number {
    if (isIPv4(address)) return valueAt(this.ipv4, ipv4Number(address));
    let value = this.remembered.get(address);
    if (value !== undefined) return value;
    const normalized = normalizeAddress(address);
    if (normalized === "") value = NO_VALUE;
    else if (normalized.includes(":")) value = valueAt(this.ipv6, ipv6Number(normalized));
    else value = valueAt(this.ipv4, ipv4Number(normalized));
    if (this.remembered.size >= REMEMBERED_MAX) this.remembered.clear();
    this.remembered.set(address, value);
    return value;
  }
}

interface Entry {
  readonly range: AddressRange;
  readonly value: number;
}

/** From each start to the next, the value is the same; the first start is the lowest address. */
interface Steps {
  readonly starts: readonly (number | bigint)[];
  readonly values: Uint8Array;
}

function stepsOf(sorted: readonly Entry[], min: number | bigint, max: number | bigint): Steps {
  const starts = [min];
  const values: number[] = [NO_VALUE];
  const begin = (start: number | bigint, value: number): void => {
    if (starts.at(-1) === start) values[values.length - 1] = value;
    else if (values.at(-1) !== value) {
      starts.push(start);
      values.push(value);
    }
  };
  const open: { readonly last: number | bigint; readonly value: number }[] = [];
  /** Ends the ranges that do not reach as far as `first`. */
  const closeBefore = (first: number | bigint): void => {
    while (open.length > 0 && open.at(-1)!.last < first) {
      const { last } = open.pop()!;
      begin(next(last), open.at(-1)?.value ?? NO_VALUE);
    }
  };
  for (const { range, value } of sorted) {
    closeBefore(range.first);
    begin(range.first, value);
    open.push({ last: range.last, value });
  }
  // What reaches to the last address of all needs no end.
  closeBefore(max);
  return { starts, values: Uint8Array.from(values) };
}

function next(address: number | bigint): number | bigint {
  return typeof address === "number" ? address + 1 : address + 1n;
}

function valueAt({ starts, values }: Steps, address: number | bigint): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= address) low = middle;
    else high = middle;
  }
  return values[low]!;
}

/** Of an address that `isIPv4` accepts. */
function ipv4Number(address: string): number {
  let number = 0;
  let part = 0;
  for (let index = 0; index < address.length; index++) {
    const code = address.charCodeAt(index);
    if (code !== 0x2e) part = part * 10 + code - 0x30;
    else {
      number = number * 256 + part;
      part = 0;
    }
  }
  return number * 256 + part;
}

function ipv6Number(address: string): bigint {
  return ipv6Groups(address).reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
}
