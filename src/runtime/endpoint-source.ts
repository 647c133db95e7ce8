import { isIP } from "node:net";
import type { Log } from "../base/log/log.ts";
import type { Config } from "../config/config.ts";
import { DnsDiscovery } from "../discovery/dns.ts";
import type { Endpoints } from "./data-plane.ts";

/** Finds the addresses behind host names: what the control plane needs of discovery. */
export interface EndpointSource {
  /** Addresses of all `names`, within seconds. A name that cannot be resolved now has none. */
  resolve(names: readonly string[]): Promise<Endpoints>;
  /** Keeps exactly these names up to date from now on. */
  watch(names: readonly string[]): void;
  /** What is known of a name now. */
  addresses(name: string): readonly string[];
  dispose(): void;
}

/** `onChange` is called when addresses of a watched name have changed. */
export type OpenEndpoints = (onChange: () => void, log: Log) => EndpointSource;

export const openDns: OpenEndpoints = (onChange, log) => new DnsDiscovery({ onChange, log });

/** The present addresses of names that were resolved or are watched. */
export function endpointsOf(source: EndpointSource, names: readonly string[]): Endpoints {
  return Object.fromEntries(names.map((name) => [name, [...source.addresses(name)]]));
}

/** The host names that targets of a config are written with, each once; addresses are not among them. */
export function targetHostNames(config: Config): string[] {
  const names = new Set<string>();
  for (const { targets } of Object.values(config.services)) {
    for (const { host } of targets) if (host !== "" && isIP(host) === 0) names.add(host);
  }
  return [...names];
}
