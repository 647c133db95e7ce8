import type { X509Certificate } from "node:crypto";

/**
 * A distinguished name in one line: Node writes a part on each line and escapes what is special in values as
 * RFC 4514 does, so that a comma between parts cannot be one of a value. "" where there is none.
 */
export function distinguishedName(lines: string | undefined): string {
  return (lines ?? "").replaceAll("\n", ",");
}

/** The value of the last CN, the most specific; "" without one. */
export function commonName(lines: string | undefined): string {
  const part = (lines ?? "").split("\n").findLast((one) => one.startsWith("CN="));
  return part === undefined ? "" : unescaped(part.slice(3));
}

function unescaped(value: string): string {
  return value.replaceAll(/\\([0-9A-F]{2}|.)/g, (_, code: string) =>
    code.length === 2 ? String.fromCharCode(Number.parseInt(code, 16)) : code,
  );
}

/**
 * The alternative names of a certificate: `DNS:a.example`, `URI:spiffe://a/b`. Node puts into quotes those
 * that could be taken for several (CVE-2021-44532); no name that anybody would write has to be, so they
 * are passed over.
 */
export function alternativeNames({ subjectAltName }: X509Certificate): string[] {
  if (subjectAltName === undefined) return [];
  const names: string[] = [];
  for (const [, quoted, plain] of subjectAltName.matchAll(/([^",]*"(?:[^"\\]|\\.)*")|([^",]+)/g)) {
    if (quoted === undefined && plain !== undefined) names.push(plain.trim());
  }
  return names.filter((name) => name.includes(":"));
}
