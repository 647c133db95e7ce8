// HOT
/** The path that services are reached under, put before every path that is sent to them. */

/** `/base/` -> `/base`, `/` -> "": ready to be joined with paths, which begin with a slash. */
export function compilePathPrefix(path: string): string {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === 0x2f) end--;
  return path.slice(0, end);
}

/** @param prefix from `compilePathPrefix` */
export function joinPathPrefix(prefix: string, path: string): string {
  return prefix === "" ? path : prefix + path;
}
