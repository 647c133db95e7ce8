import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { admin } from "./admin.ts";
import { cache } from "./cache.ts";
import { callerShape } from "./consumers/caller-shape.ts";
import { cidr } from "../../policy/values/cidr.ts";
import { limits } from "./limits.ts";
import { listen, type ListenerConfig } from "./listen.ts";
import { log } from "./log.ts";
import { count, flag } from "../../policy/values/number.ts";
import { overload } from "./overload.ts";
import { policyList, type PolicySchemas } from "./policy-use.ts";
import { redis } from "./redis.ts";
import { routeSchema, type RouteConfig } from "./route.ts";
import { section } from "../../policy/values/section.ts";
import { serviceSchema } from "./service.ts";
import { choice, listOf, text } from "../../policy/values/text.ts";
import { timeouts } from "./timeouts.ts";
import { zone } from "./zone.ts";

/** Which headers tell services about the client. */
export interface ForwardedConfig {
  mode: "x-forwarded" | "forwarded" | "both" | "none";
}

const mode = choice(["x-forwarded", "forwarded", "both", "none"]);
const forwarded = z
  .union(
    [
      mode.transform((value) => ({ mode: value })),
      section({ mode: mode.prefault("x-forwarded").describe("Which headers.") }),
    ],
    {
      error: expected("one of x-forwarded, forwarded, both, none"),
    },
  )
  .transform((value): ForwardedConfig => value);

const workers = z.union([choice(["auto"]), count({ min: 1, max: 512 })], {
  error: expected("a number of at least 1, or auto"),
});

const serviceName = text("a service's name").regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, {
  error: "not a service name; letters, digits, dots, dashes and underscores, at most 100",
});

/**
 * The whole document: input as users write it, output a `Config`. The policies there are come from
 * outside, so that this folder names none.
 */
export function documentSchema(policies: PolicySchemas) {
  return section({
    $schema: z.string().optional().describe("JSON Schema of this document, for editors."),
    listen: listen
      .prefault(8080)
      .describe(
        "Where clients connect: a port, `host:port`, `unix:/path`, a map, or a list of those.",
      ),
    admin: admin
      .prefault(9090)
      .describe(
        "Where the admin API, metrics and health checks answer; `false` switches them off.",
      ),
    workers: workers
      .prefault("auto")
      .describe("Threads that serve traffic; `auto` is one for each core."),
    log: log.prefault({}).describe("The gateway's own log and the access log."),
    limits: limits.prefault({}).describe("What one client may cost."),
    timeouts: timeouts.prefault({}).describe("How long clients may take; services have their own."),
    trustedProxies: listOf(cidr(), "an address range")
      .prefault([])
      .describe(
        "Proxies in front of the gateway, whose Forwarded and X-Forwarded-* headers are believed.",
      ),
    forwarded: forwarded
      .prefault("x-forwarded")
      .describe(
        "Headers that tell services about the client: `x-forwarded`, `forwarded`, `both`, `none`.",
      ),
    via: flag()
      .prefault(true)
      .describe(
        "Add Via to requests. It is also how a request that goes round in a loop is noticed.",
      ),
    ...callerShape(policies),
    redis: redis
      .optional()
      .describe(
        "Redis or Valkey, where machines share limits, quotas and sessions: a URL, or a map for a " +
          "Cluster, Sentinels and options.",
      ),
    cache: cache.optional().describe("Memory for the policy `cache`, which all threads share."),
    zone: zone()
      .prefault("")
      .describe("Where this gateway is: targets of the same `zone` are asked before others."),
    overload: overload
      .prefault(false)
      .describe("When workers have too much to do and refuse requests: `true`, or a map."),
    services: z
      .record(serviceName, serviceSchema(policies), {
        error: expected("a map of service names to services"),
      })
      .prefault({})
      .describe("The services behind the gateway, by name: a URL or a map."),
    policies: policyList(policies)
      .prefault([])
      .describe("Policies on every route, before those of the service and of the route."),
    routes: z
      .array(routeSchema(policies), {
        error: expected("a list of routes", "begin each with a dash"),
      })
      .prefault([])
      .describe("Which request goes where. The most specific route wins, not the first."),
  }).transform(({ $schema: _, ...document }) => ({
    ...document,
    listen: document.listen.map((one) => withTrusted(one, document.trustedProxies)),
    routes: withUniqueNames(document.routes),
  }));
}

/** `proxyProtocol: true` means the document's trusted proxies. */
function withTrusted(
  listener: z.output<typeof listen>[number],
  trustedProxies: readonly string[],
): ListenerConfig {
  const { proxyProtocol, ...rest } = listener;
  if (proxyProtocol !== true) return { ...rest, proxyProtocol };
  return { ...rest, proxyProtocol: { trusted: [...trustedProxies] } };
}

/** Routes that differ only in headers or the like would share their made-up name: number those. */
function withUniqueNames(routes: readonly RouteConfig[]): RouteConfig[] {
  const uses = new Map<string, number>();
  return routes.map((route) => {
    const use = (uses.get(route.name) ?? 0) + 1;
    uses.set(route.name, use);
    return use === 1 ? route : { ...route, name: `${route.name} #${use}` };
  });
}
