// HOT
import { Fault, faultTypes, faults, malformedRequests } from "../base/faults.ts";
import { normalizeTarget } from "../routing/normalize-path.ts";
import { pathFaultText } from "../routing/path-fault.ts";
import { EXPECT, VIA } from "../wire/known-header.ts";
import { Authority } from "./authority.ts";
import type { ExchangeView } from "./exchange-view.ts";
import { isForwardingLoop } from "./forwarding-loop.ts";

const SLASH = 0x2f;
const authorityRead = new Authority();
/** By what is wrong with the path. */
const badPaths: Fault[] = [];
for (let code = 0; code < pathFaultText.length; code++) {
  badPaths.push(new Fault(faultTypes["bad-path"], pathFaultText[code]));
}

/**
 * Works out what a request is for: host, path and query (RFC 9112 section 3.2), from any of the forms
 * a target may take.
 *
 * @returns a fault when the target is not one that a gateway serves, else null.
 */
export function locate(exchange: ExchangeView): Fault | null {
  const { request } = exchange;
  const { fields } = request;
  if (request.method === "CONNECT") return faults["connect-refused"];
  if ((fields.seen & (1 << VIA)) !== 0 && isForwardingLoop(fields)) return faults["loop-detected"];
  const { text } = fields;
  let start = request.targetStart;
  let isRead: boolean;
  if (text.charCodeAt(start) === SLASH) {
    isRead = readHost(exchange);
  } else if (request.target === "*") {
    if (request.method !== "OPTIONS") return malformedRequests["target"];
    exchange.isAsterisk = true;
    return readHost(exchange) ? null : malformedRequests["host-invalid"];
  } else {
    const pathStart = readAbsoluteForm(text, start, request.targetEnd);
    if (pathStart < 0) return malformedRequests["target"];
    // The target's authority counts, whatever Host says (RFC 9112 section 3.2.2).
    isRead = readAuthority(exchange, text, text.indexOf("//", start) + 2, pathStart);
    start = pathStart;
  }
  if (!isRead) return malformedRequests["host-invalid"];
  if ((fields.seen & (1 << EXPECT)) !== 0 && !request.expectContinue)
    return faults["expectation-failed"];
  return locatePath(exchange, text, start, request.targetEnd);
}

function locatePath(
  exchange: ExchangeView,
  text: string,
  start: number,
  end: number,
): Fault | null {
  const { normalized } = exchange;
  // "http://host" and "http://host?query" have an empty path, which is "/".
  const hasPath = start < end && text.charCodeAt(start) === SLASH;
  const fine = hasPath
    ? normalizeTarget(text, start, end, normalized)
    : normalizeTarget("/" + text.slice(start, end), 0, end - start + 1, normalized);
  if (!fine) return badPaths[normalized.fault] ?? faults["bad-path"];
  const query = normalized.queryStart;
  if (query < 0) exchange.rawQuery = "";
  else exchange.rawQuery = hasPath ? text.slice(query, end) : text.slice(start + query - 1, end);
  return null;
}

/** @returns false if Host is malformed. */
function readHost(exchange: ExchangeView): boolean {
  const { hostIndex, fields } = exchange.request;
  if (hostIndex < 0) {
    // HTTP/1.0 without a Host: only routes for any host can match.
    exchange.authority = "";
    exchange.host = "";
    return true;
  }
  const at = hostIndex << 2;
  return readAuthority(exchange, fields.text, fields.spans[at + 2]!, fields.spans[at + 3]!);
}

function readAuthority(exchange: ExchangeView, text: string, start: number, end: number): boolean {
  if (!authorityRead.read(text, start, end)) return false;
  exchange.authority = authorityRead.raw;
  exchange.host = authorityRead.host;
  return true;
}

/** @returns where the path of "http://host/path" begins, or -1 if that is not what it is. */
function readAbsoluteForm(text: string, start: number, end: number): number {
  const scheme = text.slice(start, start + 8).toLowerCase();
  const authority = scheme.startsWith("http://")
    ? start + 7
    : scheme === "https://"
      ? start + 8
      : -1;
  if (authority < 0 || authority >= end) return -1;
  let at = authority;
  while (at < end && text.charCodeAt(at) !== SLASH && text.charCodeAt(at) !== 0x3f) at++;
  return at === authority ? -1 : at;
}
