/** Directives of Cache-Control by lower-case name; "" for one without an argument. */
export type Directives = ReadonlyMap<string, string>;

const NONE: Directives = new Map();
/** RFC 9111 section 5.2: a token, and after `=` a token or a quoted string. */
const DIRECTIVE = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]*)))?/y;
const SEPARATORS = /[\s,]*/y;
const DIGITS = /^\d+$/;
/** RFC 9111 section 1.2.2. */
const SECONDS_MAX = 2_147_483_648;

/**
 * Of a directive that is there twice the stricter holds: the shorter time, or all fields in place of some. What
 * cannot be read is passed over.
 */
export function parseCacheControl(text: string | undefined): Directives {
  if (text === undefined || text === "") return NONE;
  const directives = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    SEPARATORS.lastIndex = at;
    SEPARATORS.test(text);
    DIRECTIVE.lastIndex = SEPARATORS.lastIndex;
    const found = DIRECTIVE.exec(text);
    if (found === null) {
      const comma = text.indexOf(",", SEPARATORS.lastIndex);
      at = comma < 0 ? text.length : comma + 1;
      continue;
    }
    at = DIRECTIVE.lastIndex;
    const name = found[1]!.toLowerCase();
    const value = found[2]?.replaceAll(/\\(.)/g, "$1") ?? found[3] ?? "";
    const known = directives.get(name);
    directives.set(name, known === undefined ? value : stricter(known, value));
  }
  return directives;
}

function stricter(one: string, other: string): string {
  if (one === "" || other === "") return "";
  if (DIGITS.test(one) && DIGITS.test(other)) return Number(one) <= Number(other) ? one : other;
  return DIGITS.test(one) ? other : one;
}

/**
 * Argument of a directive that takes a time, milliseconds; undefined where the directive is not there.
 *
 * @param otherwise what one without a sound argument means, milliseconds
 */
export function directiveMs(
  directives: Directives,
  name: string,
  otherwise: number,
): number | undefined {
  const value = directives.get(name);
  if (value === undefined) return undefined;
  return DIGITS.test(value) ? Math.min(Number(value), SECONDS_MAX) * 1000 : otherwise;
}

/** Field names in the argument of `private` or `no-cache`, in lower case; [] where it stands for all. */
export function directiveFields(directives: Directives, name: string): readonly string[] {
  const value = directives.get(name);
  if (value === undefined || value === "") return [];
  return value
    .split(",")
    .map((field) => field.trim().toLowerCase())
    .filter((field) => field !== "");
}
