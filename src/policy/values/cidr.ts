import { isIP, isIPv4 } from "node:net";
import { ipv6Groups } from "../../base/ipv6-groups.ts";
import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

const HINT = "write an address range like 10.0.0.0/8, ::1/128 or 192.168.1.7";

/**
 * An address or a range in CIDR notation -> `address/bits`. Bits beyond the prefix must be zero:
 * `10.1.2.3/8` means two different things to two readers.
 */
export function parseCidr(text: string): string {
  const slash = text.indexOf("/");
  const address = slash === -1 ? text : text.slice(0, slash);
  const version = isIP(address);
  if (version === 0 || address.includes("%")) {
    throw new Refusal(`${JSON.stringify(text)} is not an address or range`, HINT);
  }
  const bitsMax = version === 4 ? 32 : 128;
  if (slash === -1) return `${address}/${bitsMax}`;
  const written = text.slice(slash + 1);
  const bits = /^\d{1,3}$/.test(written) ? Number(written) : Number.NaN;
  if (!(bits <= bitsMax)) {
    throw new Refusal(`/${written} is not a prefix length`, `a number from 0 to ${bitsMax}`);
  }
  const bytes = addressBytes(address);
  if (hasBitsAfter(bytes, bits)) {
    const hint = `write ${networkOf(bytes, bits)}/${bits}, or ${address} for the one address`;
    throw new Refusal(`${text} has address bits beyond its prefix`, hint);
  }
  return `${address}/${bits}`;
}

/** Schema of an address or range; the output always carries its prefix length. */
export function cidr() {
  return parsedText(parseCidr, { what: "an address range", hint: HINT, sample: "10.0.0.0/8" });
}

/** The 4 or 16 bytes of an address that `isIP` accepts. */
function addressBytes(address: string): number[] {
  if (isIPv4(address)) return address.split(".").map(Number);
  return ipv6Groups(address).flatMap((group) => [group >> 8, group & 0xff]);
}

function hasBitsAfter(bytes: readonly number[], bits: number): boolean {
  return bytes.some((byte, index) => (byte & ~maskOf(index, bits) & 0xff) !== 0);
}

function networkOf(bytes: readonly number[], bits: number): string {
  const masked = bytes.map((byte, index) => byte & maskOf(index, bits));
  if (masked.length === 4) return masked.join(".");
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) {
    groups.push(((masked[index]! << 8) | masked[index + 1]!).toString(16));
  }
  // The URL parser writes the canonical short form (RFC 5952) for us.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** The mask of byte `index` in a prefix of `bits`. */
function maskOf(index: number, bits: number): number {
  const kept = Math.min(8, Math.max(0, bits - index * 8));
  return (0xff << (8 - kept)) & 0xff;
}
