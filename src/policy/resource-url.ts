import { NormalizedPath, normalizePath } from "../routing/normalize-path.ts";
import { urlTag } from "./cache-tags.ts";

/** With a dot at its end a host is the same (RFC 1034 section 3.1), and the same routes are for it. */
const FINAL_DOT = /\.(?=:\d+$|$)/;

/** Path and query of a URL, its path spelled as requests are matched. undefined for a path that no request can have. */
export function resourcePath({ pathname, search }: URL): string | undefined {
  const normalized = new NormalizedPath();
  return normalizePath(pathname, normalized) ? normalized.path + search : undefined;
}

/** What is kept for a URL is called so by who purges it: its origin before its `resourcePath`. */
export function resourceUrl(url: URL): string | undefined {
  const path = resourcePath(url);
  return path === undefined ? undefined : url.origin.replace(FINAL_DOT, "") + path;
}

/**
 * The tag of what is kept for a resource. Clients can write one host in several ways (a port that is the scheme's own,
 * encoded characters), and services see which; all of them are one to who purges.
 */
export function resourceTag(resource: string): string {
  const url = URL.parse(resource);
  return urlTag((url === null ? undefined : resourceUrl(url)) ?? resource);
}
