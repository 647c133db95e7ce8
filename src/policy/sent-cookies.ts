import { COOKIE } from "../wire/known-header.ts";
import type { Exchange } from "./exchange.ts";

/** Whether the client has sent any cookie, also one that a policy has taken out of the request since. */
export function hasSentCookies(exchange: Exchange): boolean {
  return (exchange.request.fields.seen & (1 << COOKIE)) !== 0;
}
