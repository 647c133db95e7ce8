/** signed-component: the values of what a signature may cover of a request (RFC 9421 section 2). */
import type { Exchange } from "../../policy/exchange.ts";
import { readDictionary, serializeMember, type BareItem, type Item } from "./structured-fields.ts";

type Parameters = ReadonlyMap<string, BareItem>;

/** undefined where the request has none, or where the component is not understood. */
export function componentValue(exchange: Exchange, [name, parameters]: Item): string | undefined {
  if (typeof name !== "string") return undefined;
  return name.startsWith("@")
    ? derivedValue(exchange, name, parameters)
    : fieldValue(exchange, name, parameters);
}

/** RFC 9421 section 2.2; as the client sent them, before the gateway normalises anything. */
function derivedValue(
  exchange: Exchange,
  name: string,
  parameters: Parameters,
): string | undefined {
  if (name === "@query-param") return queryParameter(exchange, parameters);
  if (parameters.size > 0) return undefined;
  const { target } = exchange.request;
  switch (name) {
    case "@method":
      return exchange.method;
    case "@scheme":
      return exchange.scheme;
    case "@authority":
      return authorityOf(exchange);
    case "@request-target":
      return target;
    case "@path":
      return pathOf(target);
    case "@query":
      return `?${exchange.rawQuery}`;
    case "@target-uri": {
      const authority = authorityOf(exchange);
      if (authority === undefined) return undefined;
      const mark = target.indexOf("?");
      const query = mark < 0 ? "" : target.slice(mark);
      return `${exchange.scheme}://${authority}${pathOf(target)}${query}`;
    }
    default:
      return undefined;
  }
}

/** Lower case, without the port that the scheme implies (RFC 9110 section 4.2.3). */
function authorityOf(exchange: Exchange): string | undefined {
  const { target } = exchange.request;
  // In absolute form the target's authority counts, whatever Host says (RFC 9112 section 3.2.2).
  const absolute = ABSOLUTE_FORM.exec(target);
  const authority = (absolute?.[1] ?? exchange.header("host"))?.toLowerCase();
  const port = exchange.scheme === "https" ? ":443" : ":80";
  return authority?.endsWith(port) === true ? authority.slice(0, -port.length) : authority;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)/i;

/** Still encoded; an empty path is "/". */
function pathOf(target: string): string {
  const path = target.replace(ABSOLUTE_FORM, "");
  const mark = path.indexOf("?");
  const end = mark < 0 ? path.length : mark;
  return end === 0 ? "/" : path.slice(0, end);
}

/** RFC 9421 section 2.2.8. One that comes twice cannot be signed: nobody knows which is meant. */
function queryParameter(exchange: Exchange, parameters: Parameters): string | undefined {
  const name = parameters.get("name");
  if (parameters.size !== 1 || typeof name !== "string") return undefined;
  let found: string | undefined;
  for (const [key, value] of new URLSearchParams(exchange.rawQuery)) {
    if (encodeForm(key) !== name) continue;
    if (found !== undefined) return undefined;
    found = encodeForm(value);
  }
  return found;
}

/** The percent-encode set of forms (WHATWG URL), with %20 for blanks. */
function encodeForm(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()~]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

/** RFC 9421 section 2.1. */
function fieldValue(exchange: Exchange, name: string, parameters: Parameters): string | undefined {
  if (parameters.size === 0) return exchange.header(name);
  if (parameters.size > 1) return undefined;
  const key = parameters.get("key");
  if (typeof key === "string") {
    const member = readDictionary(exchange.header(name) ?? "")?.get(key);
    return member === undefined ? undefined : serializeMember(member);
  }
  return parameters.get("bs") === true ? wrappedLines(exchange, name) : undefined;
}

/** Each line's bytes in base64 (RFC 9421 section 2.1.3). */
function wrappedLines({ request }: Exchange, name: string): string | undefined {
  const lines: string[] = [];
  request.fields.each((field, value) => {
    if (field.toLowerCase() !== name) return;
    lines.push(`:${Buffer.from(value, "latin1").toString("base64")}:`);
  });
  return lines.length === 0 ? undefined : lines.join(", ");
}
