// HOT
/**
 * Reads one cookie out of a Cookie header, `a=1; b=2`, as browsers send it (RFC 6265 section 5.4).
 */

const SP = 0x20;
const HTAB = 0x09;

/**
 * The value of the first cookie called `name`, as sent: neither decoded nor unquoted. Browsers send
 * the one with the longest path first. A pair without `=` has no name and is passed over.
 */
export function readCookie(header: string, name: string): string | undefined {
  let start = 0;
  while (start < header.length) {
    const semicolon = header.indexOf(";", start);
    const end = semicolon === -1 ? header.length : semicolon;
    const nameStart = skipSpaces(header, start, end);
    const equals = header.indexOf("=", nameStart);
    if (equals !== -1 && equals < end && isCalled(header, nameStart, equals, name)) {
      const valueStart = skipSpaces(header, equals + 1, end);
      return header.slice(valueStart, skipSpacesBack(header, valueStart, end));
    }
    start = end + 1;
  }
  return undefined;
}

/** The header without any cookie called `name`, the rest as sent; the same text where there is none. */
export function withoutCookie(header: string, name: string): string {
  let kept = "";
  let isSame = true;
  let start = 0;
  while (start <= header.length) {
    const semicolon = header.indexOf(";", start);
    const end = semicolon === -1 ? header.length : semicolon;
    const equals = header.indexOf("=", start);
    const nameStart = skipSpaces(header, start, end);
    // Some servers take a name alone for a cookie without a value.
    const nameEnd = equals === -1 || equals > end ? end : equals;
    if (isCalled(header, nameStart, nameEnd, name)) isSame = false;
    else {
      const pair = header.slice(nameStart, end);
      kept = kept === "" ? pair : kept + "; " + pair;
    }
    start = end + 1;
  }
  return isSame ? header : kept;
}

function isCalled(header: string, start: number, equals: number, name: string): boolean {
  const end = skipSpacesBack(header, start, equals);
  return end - start === name.length && header.startsWith(name, start);
}

function skipSpaces(text: string, start: number, end: number): number {
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  return start;
}

function skipSpacesBack(text: string, start: number, end: number): number {
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return end;
}

function isSpace(code: number): boolean {
  return code === SP || code === HTAB;
}
