import type { Exchange } from "./exchange.ts";

/**
 * Every value of a query parameter, decoded: for credentials, where it matters that a service may read
 * another one than the first.
 */
export function queryValues({ rawQuery }: Exchange, name: string): readonly string[] {
  return rawQuery === "" ? [] : new URLSearchParams(rawQuery).getAll(name);
}

/** The same for a request cookie, as sent. */
export function cookieValues(exchange: Exchange, name: string): readonly string[] {
  const header = exchange.header("cookie");
  if (header === undefined) return [];
  return header.split(";").flatMap((pair) => {
    const equals = pair.indexOf("=");
    const isNamed = equals !== -1 && pair.slice(0, equals).trim() === name;
    return isNamed ? [pair.slice(equals + 1).trim()] : [];
  });
}
