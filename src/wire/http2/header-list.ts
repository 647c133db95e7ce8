// HOT
/** From the gateway's form of a head to the header lists of node:http2. */
import type { OutgoingHttpHeaders } from "node:http2";
import type { Fields } from "../fields.ts";
import { HOP_BY_HOP, HOST, knownHeaderId } from "../known-header.ts";
import { dropForbiddenTrailers } from "../http1/write-message.ts";

/**
 * Appends the standing fields to `list` as name, value, name, value. Names may be in any case:
 * node:http2 sends them in lower case. Fields of an HTTP/1 connection and Host are left out.
 */
export function appendFields(list: string[], fields: Fields): void {
  const { count, ids, removed } = fields;
  for (let index = 0; index < count; index++) {
    if (removed[index] !== 0 || ids[index] === HOST) continue;
    list.push(fields.nameAt(index), fields.valueAt(index));
  }
  for (let index = 0; index < fields.extraCount; index++) {
    const name = fields.extraNames[index]!;
    const id = knownHeaderId(name);
    if (HOP_BY_HOP[id] === 1 || id === HOST) continue;
    list.push(name, fields.extraValues[index]!);
  }
}

/** Appends field lines given as text, `Name: value` each ended by CRLF. */
export function appendLines(list: string[], lines: string): void {
  let start = 0;
  while (start < lines.length) {
    const end = lines.indexOf("\r\n", start);
    const colon = lines.indexOf(":", start);
    if (end < 0 || colon < 0 || colon > end) return;
    list.push(lines.slice(start, colon), lines.slice(colon + 1, end).trim());
    start = end + 2;
  }
}

/** What may be sent as trailers, as `sendTrailers` and `additionalHeaders` of node:http2 want it: an object. */
export function trailerObject(trailers: Fields): OutgoingHttpHeaders {
  dropForbiddenTrailers(trailers);
  return headerObject(trailers);
}

export function headerObject(fields: Fields): OutgoingHttpHeaders {
  const list: string[] = [];
  appendFields(list, fields);
  const headers: OutgoingHttpHeaders = Object.create(null) as OutgoingHttpHeaders;
  for (let index = 0; index < list.length; index += 2) {
    const name = list[index]!.toLowerCase();
    const value = list[index + 1]!;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else headers[name] = [String(before), value];
  }
  return headers;
}
