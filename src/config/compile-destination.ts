import type { Destination } from "../proxy/snapshot.ts";
import { parsePathPattern } from "../routing/path-pattern.ts";
import { compileRewrite } from "../routing/rewrite.ts";
import type { RouteConfig } from "./config.ts";

/** What a route says of the way to a service. */
export type DestinationConfig = Pick<RouteConfig, "match" | "rewrite" | "timeout">;

/** The service's own object unless the route has something to say: most have not. */
export function compileDestination(
  plain: Destination,
  { match, rewrite, timeout: { responseMs, totalMs } }: DestinationConfig,
): Destination {
  if (rewrite === undefined && responseMs === undefined && totalMs === undefined) return plain;
  const { service, timeouts } = plain;
  return {
    service,
    timeouts: {
      ...timeouts,
      responseMs: responseMs ?? timeouts.responseMs,
      totalMs: totalMs ?? timeouts.totalMs,
    },
    rewrite: rewrite === undefined ? null : compileRewrite(rewrite, parsePathPattern(match.path)),
    hooks: plain.hooks,
    requests: plain.requests,
  };
}
