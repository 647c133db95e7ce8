import { readFile } from "node:fs/promises";

/** How short names are completed: resolv.conf(5). */
export interface SearchDomains {
  readonly domains: readonly string[];
  /** A name with at least so many dots is tried as it is before it is completed. */
  readonly ndots: number;
}

const NDOTS_DEFAULT = 1;
/** The C library's limit. */
const NDOTS_MAX = 15;

/** None when there is no file. Read at each call: it changes with the network. */
export async function readSearchDomains(path: string): Promise<SearchDomains> {
  try {
    return parseSearchDomains(await readFile(path, "utf8"));
  } catch {
    return { domains: [], ndots: NDOTS_DEFAULT };
  }
}

export function parseSearchDomains(text: string): SearchDomains {
  let domains: string[] = [];
  let ndots = NDOTS_DEFAULT;
  for (const line of text.split("\n")) {
    const [word = "", ...values] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    // Of several the last one counts.
    if (word === "search") domains = values;
    if (word === "domain") domains = values.slice(0, 1);
    if (word !== "options") continue;
    const option = values.find((value) => /^ndots:\d+$/.test(value));
    if (option !== undefined) ndots = Math.min(Number(option.slice(6)), NDOTS_MAX);
  }
  const bare = domains.map((domain) => domain.replace(/\.$/, "")).filter((domain) => domain !== "");
  return { domains: bare, ndots };
}

/**
 * The full names a name may stand for, in the order in which they are asked for. The order matters:
 * in Kubernetes `users.shop` is the service `users` in the namespace `shop`, not a site on the internet.
 */
export function candidateNames(hostname: string, search: SearchDomains): string[] {
  if (hostname.endsWith(".")) return [hostname.slice(0, -1)];
  const completed = search.domains.map((domain) => `${hostname}.${domain}`);
  const dots = hostname.split(".").length - 1;
  return dots >= search.ndots ? [hostname, ...completed] : [...completed, hostname];
}
