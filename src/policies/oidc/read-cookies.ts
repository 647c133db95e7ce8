/** Calls `visit` for each pair of a Cookie header, values as sent (RFC 6265 section 5.4). */
export function readCookies(header: string, visit: (name: string, value: string) => void): void {
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals === -1) continue;
    visit(pair.slice(0, equals).trim(), pair.slice(equals + 1).trim());
  }
}

/** The header without the pairs whose names `owns` takes; the same text where there are none. */
export function withoutCookies(header: string, owns: (name: string) => boolean): string {
  const pairs = header.split(";");
  const kept = pairs.filter((pair) => {
    const equals = pair.indexOf("=");
    return !owns((equals === -1 ? pair : pair.slice(0, equals)).trim());
  });
  return kept.length === pairs.length ? header : kept.join(";").trim();
}
