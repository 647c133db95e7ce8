import { AUTHORIZATION } from "../wire/known-header.ts";
import type { Exchange } from "./exchange.ts";

/** Whether the client has sent Authorization, also where a policy has taken it out of the request since. */
export function hasSentAuthorization({ request }: Pick<Exchange, "request">): boolean {
  return (request.fields.seen & (1 << AUTHORIZATION)) !== 0;
}
