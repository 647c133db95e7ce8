/** policy-facilities: what a worker has for its policies. */
import { OutboundClient } from "../base/outbound/outbound-client.ts";
import type { PolicyFacilities } from "../config/policy-environments.ts";

/** One for each worker; serves all revisions. */
export function createPolicyFacilities(): PolicyFacilities {
  return {
    clock: { now: Date.now },
    consumers: { version: 0, byName: () => undefined, find: () => undefined },
    limits: {} as never,
    concurrency: {} as never,
    redis: () => missing("redis"),
    call: () => missing("call"),
    fetch: new OutboundClient().fetch,
    expression: () => missing("expression"),
  };
}

function missing(what: string): never {
  throw new Error(`no ${what} in this worker`);
}
