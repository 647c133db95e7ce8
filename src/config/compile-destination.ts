import type { Destination } from "../proxy/snapshot.ts";
import { parsePathPattern } from "../routing/path-pattern.ts";
import { compileRewrite } from "../routing/rewrite.ts";
import { HedgePolicy } from "../upstream/retry/hedge-policy.ts";
import type { HedgeConfig } from "../upstream/retry/retry-config.ts";
import { RetryPolicy } from "../upstream/retry/retry-policy.ts";
import type { RouteConfig } from "./config.ts";

/** What a route says of the way to a service. */
export type DestinationConfig = Pick<
  RouteConfig,
  "match" | "rewrite" | "timeout" | "retry" | "hedge"
>;

/** The service's own object unless the route has something to say: most have not. */
export function compileDestination(
  plain: Destination,
  { match, rewrite, retry, hedge, timeout: { responseMs, totalMs } }: DestinationConfig,
): Destination {
  const said = rewrite ?? retry ?? responseMs ?? totalMs;
  if (said === undefined && hedge === undefined) return plain;
  const { service, timeouts } = plain;
  return {
    service,
    timeouts: {
      ...timeouts,
      responseMs: responseMs ?? timeouts.responseMs,
      totalMs: totalMs ?? timeouts.totalMs,
    },
    rewrite: rewrite === undefined ? null : compileRewrite(rewrite, parsePathPattern(match.path)),
    retry: retry === undefined ? plain.retry : new RetryPolicy(retry),
    hedge: hedge === undefined ? plain.hedge : compileHedge(hedge),
    hooks: plain.hooks,
    requests: plain.requests,
    fallback: plain.fallback,
  };
}

/** null for none. */
export function compileHedge(config: HedgeConfig | null | undefined): HedgePolicy | null {
  return config === null || config === undefined ? null : new HedgePolicy(config);
}
