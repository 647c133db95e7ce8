import { NormalizedPath, normalizePath } from "../routing/normalize-path.ts";

/**
 * Origin, path and query of a URL, its path spelled as requests are matched: what a cache calls what is kept for it.
 * undefined for a path that no request can have.
 */
export function resourceUrl({ origin, pathname, search }: URL): string | undefined {
  const normalized = new NormalizedPath();
  return normalizePath(pathname, normalized) ? origin + normalized.path + search : undefined;
}
