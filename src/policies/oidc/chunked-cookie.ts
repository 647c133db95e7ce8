import { readCookies } from "./read-cookies.ts";

/** Browsers take 4096 bytes of name and value (RFC 6265 section 6.1); attributes are not counted. */
const COOKIE_BYTES_MAX = 4096;
/** Of one value: 16 KB of cookies is about what servers bear in a request's head. */
const CHUNK_COUNT_MAX = 4;

export interface CookieAttributes {
  readonly name: string;
  readonly path: string;
  /** "" for the host alone. */
  readonly domain: string;
  readonly sameSite: "lax" | "strict" | "none";
  readonly isSecure: boolean;
}

/**
 * A value that may be longer than a cookie: `2.AAAA` in a cookie of its name, with the number of parts, and
 * the rest in `name.1` and so on.
 */
export class ChunkedCookie {
  readonly name: string;
  /** What follows the value in Set-Cookie, but for `Max-Age`. */
  readonly attributes: string;
  private readonly chunkBytes: number;

  constructor({ name, path, domain, sameSite, isSecure }: CookieAttributes) {
    this.name = name;
    const scope = domain === "" ? "" : `; Domain=${domain}`;
    const secure = isSecure ? "; Secure" : "";
    this.attributes = `; Path=${path}${scope}; HttpOnly; SameSite=${SAME_SITE[sameSite]}${secure}`;
    // The name gains `.N`, the first value `N.`.
    this.chunkBytes = COOKIE_BYTES_MAX - name.length - 4;
  }

  /** Whether one of its parts is called so. */
  owns(name: string): boolean {
    return name === this.name || this.indexOf(name) > 0;
  }

  /** null when it is not there, or not whole. */
  read(header: string): string | null {
    const parts: string[] = [];
    readCookies(header, (name, value) => {
      const index = name === this.name ? 0 : this.indexOf(name);
      if (index >= 0) parts[index] ??= value;
    });
    const [first] = parts;
    const count = first === undefined || first[1] !== "." ? 0 : Number(first[0]);
    if (!(count >= 1 && count <= CHUNK_COUNT_MAX)) return null;
    let value = first!.slice(2);
    for (let index = 1; index < count; index++) {
      const part = parts[index];
      if (part === undefined) return null;
      value += part;
    }
    return value;
  }

  /**
   * Set-Cookie values that store it, and take away parts of a longer one that the browser has.
   *
   * @param header Cookie of the request, "" without one.
   * @param maxAgeS how long the browser keeps it; 0: until it is closed.
   * @returns null when it is too long
   */
  write(value: string, header: string, maxAgeS = 0): string[] | null {
    const { chunkBytes, name, attributes } = this;
    const count = Math.max(1, Math.ceil(value.length / chunkBytes));
    if (count > CHUNK_COUNT_MAX) return null;
    const age = maxAgeS > 0 ? `; Max-Age=${maxAgeS}` : "";
    const lines: string[] = [];
    for (let index = 0; index < count; index++) {
      const part = value.slice(index * chunkBytes, (index + 1) * chunkBytes);
      const start = index === 0 ? `${name}=${count}.` : `${name}.${index}=`;
      lines.push(`${start}${part}${attributes}${age}`);
    }
    return [...lines, ...this.clear(header, count)];
  }

  /** Set-Cookie values that take away what the browser has of it, from a part on. */
  clear(header: string, from = 0): string[] {
    const names = new Set<string>();
    readCookies(header, (name) => {
      const index = name === this.name ? 0 : this.indexOf(name);
      if (index >= from) names.add(name);
    });
    return [...names].map((name) => this.expired(name));
  }

  /** Set-Cookie value that takes away a cookie with the same attributes. */
  expired(name: string): string {
    return `${name}=${this.attributes}; Max-Age=0`;
  }

  /** Of a part after the first; -1 for what is none. */
  private indexOf(name: string): number {
    const { length } = this.name;
    if (name.length !== length + 2 || !name.startsWith(this.name) || name[length] !== ".")
      return -1;
    const index = name.charCodeAt(length + 1) - 0x30;
    return index >= 1 && index < CHUNK_COUNT_MAX ? index : -1;
  }
}

const SAME_SITE = { lax: "Lax", strict: "Strict", none: "None" } as const;
