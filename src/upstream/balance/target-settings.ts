/**
 * Targets as configured, with names replaced by addresses. One name gives as many targets as it has
 * addresses, each with the whole weight, as in NGINX and Envoy.
 */
import { isIP } from "node:net";
import type { TargetSettings } from "./target.ts";
import { targetKey } from "./target.ts";

/** What the config says of one target. */
export interface ConfiguredTarget {
  url: string;
  scheme: TargetSettings["scheme"];
  host: string;
  port: number;
  socketPath: string;
  weight: number;
  drain: boolean;
  priority: number;
  zone: string;
}

/**
 * The targets of a service, in order, each place once: the same address named twice adds up to one
 * target, which drains only if all of its entries do. Names without addresses give none.
 * @param endpoints addresses by host name, as discovery found them.
 */
export function expandTargets(
  service: string,
  configured: readonly ConfiguredTarget[],
  endpoints: Readonly<Record<string, readonly string[]>>,
): TargetSettings[] {
  const targets = new Map<string, TargetSettings>();
  for (const { drain, ...entry } of configured) {
    for (const address of addressesOf(entry.scheme, entry.host, endpoints)) {
      const settings = { ...entry, service, address, draining: drain };
      const key = targetKey(settings);
      const known = targets.get(key);
      targets.set(key, known === undefined ? settings : merge(known, settings));
    }
  }
  return [...targets.values()];
}

/** Host names that have to be resolved before `expandTargets` can be asked. */
export function hostnamesOf(configured: Iterable<ConfiguredTarget>): Set<string> {
  const names = new Set<string>();
  for (const { scheme, host } of configured) {
    if (scheme !== "unix" && isIP(host) === 0) names.add(host);
  }
  return names;
}

function addressesOf(
  scheme: TargetSettings["scheme"],
  host: string,
  endpoints: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  if (scheme === "unix") return [""];
  return isIP(host) === 0 ? (endpoints[host] ?? []) : [host];
}

/** A draining entry adds no weight to one that is not. */
function merge(known: TargetSettings, other: TargetSettings): TargetSettings {
  if (known.draining !== other.draining) return known.draining ? other : known;
  const priority = Math.min(known.priority, other.priority);
  return { ...known, weight: known.weight + other.weight, priority };
}
