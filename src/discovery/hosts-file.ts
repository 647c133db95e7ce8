import { readFile } from "node:fs/promises";

/**
 * Addresses that a hosts file (hosts(5)) gives for a name, in the file's order; none when there is no
 * file. It is read at each call: it is small, and people edit it.
 */
export async function findInHostsFile(path: string, hostname: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return [];
  }
  return findInHosts(text, hostname);
}

export function findInHosts(text: string, hostname: string): string[] {
  const wanted = hostname.toLowerCase();
  const addresses = new Set<string>();
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    // Zone indices (fe80::1%lo0) are left out: an address that needs one is no service's.
    if (address.includes("%")) continue;
    if (names.some((name) => name.toLowerCase() === wanted)) addresses.add(address.toLowerCase());
  }
  return [...addresses];
}
