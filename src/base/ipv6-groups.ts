import { isIPv6 } from "node:net";

/** The eight groups of an IPv6 address without a zone, which `isIPv6` has to accept. */
export function ipv6Groups(address: string): number[] {
  if (!isIPv6(address)) throw new Error(`${address} is no IPv6 address`);
  const [head = "", tail] = withoutDots(address).split("::");
  const left = parseGroups(head);
  const right = tail === undefined ? [] : parseGroups(tail);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...zeros, ...right];
}

/** `::ffff:1.2.3.4` -> `::ffff:102:304`. */
function withoutDots(address: string): string {
  const colon = address.lastIndexOf(":");
  const last = address.slice(colon + 1);
  if (!last.includes(".")) return address;
  const [a = 0, b = 0, c = 0, d = 0] = last.split(".").map(Number);
  const groups = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  return address.slice(0, colon + 1) + groups;
}

function parseGroups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}
