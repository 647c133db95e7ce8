import type { Config } from "../config/config.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import { policyUses } from "../config/policy-uses.ts";
import type { DataPlanePayload, Endpoints } from "./data-plane.ts";
import type { RevisionLease } from "./revision-lease.ts";
import { packRoutes } from "./route-pages.ts";

/** Makes a configuration what workers take. */
export function makePayload(
  revision: number,
  { config, prepared, userPolicies }: Pick<LoadedConfig, "config" | "prepared" | "userPolicies">,
  endpoints: Endpoints,
  lease: RevisionLease,
): DataPlanePayload {
  const { routes, ...rest } = config;
  const { counters, metrics, routeCells, cache } = lease;
  const pages = packRoutes(routes, routeCells);
  return {
    revision,
    config: rest,
    routes: pages,
    materials: prepared,
    endpoints,
    counters,
    metrics,
    cache,
    policyModules: userPolicies?.modules,
    ownPolicies: ownPolicies(config, userPolicies?.modules ?? {}),
  };
}

function ownPolicies(config: Config, modules: Readonly<Record<string, string>>): string[] {
  const names = new Set<string>();
  for (const { name } of policyUses(config)) if (!Object.hasOwn(modules, name)) names.add(name);
  return [...names];
}
