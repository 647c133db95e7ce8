import type { Exchange } from "../../policy/exchange.ts";
import { resourcePath } from "../../policy/resource-url.ts";
import type { KeyOptions } from "./cache-options.ts";

export type ReadSent = (name: string) => string | undefined;

/** What one use of the cache tells requests apart by. */
export class CacheKey {
  private readonly options: KeyOptions;
  /** Answers to one address may differ, whatever `Vary` says. */
  readonly hasParts: boolean;
  private readonly filtersQuery: boolean;

  constructor(options: KeyOptions) {
    this.options = options;
    const { headers, cookies, identity, query, ignoreQuery } = options;
    this.hasParts = headers.length > 0 || cookies.length > 0 || identity;
    this.filtersQuery = query !== undefined || ignoreQuery.length > 0;
  }

  /** Address of the resource, however its path was spelled. */
  resource(exchange: Exchange): string {
    const { path, rawQuery } = exchange;
    const address = `${originOf(exchange)}${path}`;
    const query = rawQuery === "" ? "" : this.queryOf(rawQuery);
    return query === "" ? address : `${address}?${query}`;
  }

  /** The same of a reference in a response; undefined where that leads to another origin, or nowhere. */
  resourceNamed(reference: string, exchange: Exchange): string | undefined {
    const origin = originOf(exchange);
    const base = `${origin}${exchange.path}`;
    const url = URL.parse(reference, base);
    if (url === null || url.origin !== URL.parse(origin)?.origin) return undefined;
    const query = this.queryOf(url.search.slice(1));
    url.search = "";
    const path = resourcePath(url);
    if (path === undefined) return undefined;
    return origin + path + (query === "" ? "" : `?${query}`);
  }

  /** Takes out of the request what the key leaves out: the service might answer by it. */
  removeIgnored(exchange: Exchange): void {
    const { rawQuery } = exchange;
    if (!this.filtersQuery || rawQuery === "") return;
    exchange.setQuery(this.keptParts(rawQuery).join("&"));
  }

  /**
   * What tells answers to one address apart: the route, whatever the options name, and a path that the client has
   * spelled otherwise than it is matched, since some services are sent it as it came.
   */
  variant(exchange: Exchange): string {
    const spelling = spellingOf(exchange);
    if (!this.hasParts && spelling === "") return exchange.routeName;
    const { headers, cookies, identity } = this.options;
    const parts = [exchange.routeName, spelling];
    for (const name of headers) parts.push(exchange.header(name) ?? "");
    for (const name of cookies) parts.push(exchange.cookie(name) ?? "");
    if (identity) parts.push(callerOf(exchange));
    return joined(parts);
  }

  private queryOf(rawQuery: string): string {
    const { sortQuery } = this.options;
    if (!sortQuery && !this.filtersQuery) return rawQuery;
    const kept = this.keptParts(rawQuery);
    if (sortQuery) kept.sort(byName);
    return kept.join("&");
  }

  private keptParts(rawQuery: string): string[] {
    return rawQuery.split("&").filter((part) => part !== "" && this.isKept(part));
  }

  private isKept(part: string): boolean {
    const { query, ignoreQuery } = this.options;
    const name = nameOf(part);
    if (query !== undefined && !query.includes(name)) return false;
    return !ignoreQuery.some((ignored) => {
      return ignored.endsWith("*") ? name.startsWith(ignored.slice(0, -1)) : ignored === name;
    });
  }
}

const QUESTION = 0x3f;

/** Target without its query where that is not the path as it is matched; else "". */
function spellingOf({ request, path }: Exchange): string {
  const { fields, targetStart, targetEnd } = request;
  const { text } = fields;
  const pathEnd = targetStart + path.length;
  const isWhole = pathEnd === targetEnd || text.charCodeAt(pathEnd) === QUESTION;
  if (isWhole && text.startsWith(path, targetStart)) return "";
  return request.target.replace(/\?.*/s, "");
}

function originOf({ scheme, authority, host }: Exchange): string {
  return `${scheme}://${authority === host ? host : authority.toLowerCase()}`;
}

/** Key of one among several answers to an address. */
export function variantKey(
  resource: string,
  { variant: series, vary }: { readonly variant: string; readonly vary: readonly string[] },
  variant: string,
  read: ReadSent,
): string {
  const parts = [resource, series, variant];
  for (const name of vary) parts.push(name, normalized(read(name)));
  return joined(parts);
}

/** The length in front: no value can look like the end of one and the beginning of the next. */
function joined(parts: readonly string[]): string {
  let text = "";
  for (const part of parts) text += `${part.length}:${part}`;
  return text;
}

/** RFC 9111 section 4.1 lets lists be told apart by what they say alone. None is another than an empty one. */
function normalized(value: string | undefined): string {
  return value === undefined ? "-" : `=${value.trim().replaceAll(/\s*,\s*/g, ",")}`;
}

function nameOf(part: string): string {
  const equals = part.indexOf("=");
  const name = (equals < 0 ? part : part.slice(0, equals)).replaceAll("+", " ");
  if (!name.includes("%")) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function byName(one: string, other: string): number {
  const [first, second] = [nameOf(one), nameOf(other)];
  if (first === second) return 0;
  return first < second ? -1 : 1;
}

function callerOf({ identity }: Exchange): string {
  if (identity === null) return "";
  const { consumer, issuer, subject } = identity;
  return consumer === null ? `${issuer}\n${subject}` : `\n${consumer.name}`;
}
