import type { Exchange } from "./exchange.ts";
import type { ServiceRequest } from "./service-call.ts";
import { CONTENT_LENGTH, EXPECT, HOP_BY_HOP, HOST } from "../wire/known-header.ts";

/** Says on a copy that it is one: the gateway that gets it makes no copy of it. */
export const COPY_MARK = "x-gateward-mirror";

/** What shows who is calling. */
const CREDENTIALS = new Set(["authorization", "proxy-authorization", "cookie"]);

/** Whom a request is from and where it was sent, as whoever sent it claims; servers read `_` as `-`. */
const FORWARDED = /^(forwarded|x[-_]forwarded[-_].*|x[-_]real[-_]ip)$/;

export type RequestCopy = Pick<ServiceRequest, "method" | "target" | "headers">;

/** The head of a request, as far as a request of the gateway's own may have it. */
export function copyRequest(exchange: Exchange, keepsCredentials: boolean): RequestCopy {
  const headers: [string, string][] = [];
  exchange.request.fields.each((name, value, id) => {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP[id] === 1 || id === HOST || id === CONTENT_LENGTH || id === EXPECT) return;
    if (lower === "trailer" || lower === COPY_MARK || FORWARDED.test(lower)) return;
    if (!keepsCredentials && CREDENTIALS.has(lower)) return;
    headers.push([lower, value]);
  });
  headers.push([COPY_MARK, "1"]);
  if (exchange.clientAddress !== "") headers.push(["x-forwarded-for", exchange.clientAddress]);
  const { path, rawQuery } = exchange;
  return {
    method: exchange.method,
    target: rawQuery === "" ? path : `${path}?${rawQuery}`,
    headers,
  };
}
