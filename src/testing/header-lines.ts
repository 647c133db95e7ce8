import type { Fields } from "../wire/fields.ts";

/** Headers by name; several lines of one name as a list. */
export type TestHeaders = Readonly<Record<string, string | readonly string[]>>;

/** `["Accept", "text/html"]` and so on, one for each line. */
export function headerPairs(headers: TestHeaders = {}): [name: string, value: string][] {
  return Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );
}

/** Lines of a message that has been read, names in lower case. */
export function pairsOf(fields: Fields): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  fields.each((name, value) => pairs.push([name.toLowerCase(), value]));
  return pairs;
}

/** By lower-case name; several lines of one name joined with `, `. */
export function joinPairs(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of pairs) {
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}
