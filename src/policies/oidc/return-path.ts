const LENGTH_MAX = 2000;
/** Printable ASCII; no backslash, which browsers read as a slash. */
const PATH = /^\/[!-[\]-~]*$/;

/**
 * Where a browser goes after signing in: `path` where it is a path of this origin, else `/`. Anything that
 * a browser might take for another host is refused: `//evil`, `/\evil`, whole addresses, control characters,
 * and dots that lead to such (`/.//evil`).
 */
export function returnPath(path: string): string {
  if (path.length > LENGTH_MAX || !PATH.test(path)) return "/";
  const url = URL.parse(path, "https://gateway.invalid");
  if (url === null || url.origin !== "https://gateway.invalid") return "/";
  const resolved = url.pathname + url.search;
  return resolved.startsWith("//") ? "/" : resolved;
}
