import { isDeepStrictEqual } from "node:util";
import type { Config, RouteConfig } from "./config.ts";
import type { LoadedConfig } from "./load-config.ts";

/** Whether two would serve alike: equal configurations, and equal files that they name. */
export function isSameConfig(left: LoadedConfig, right: LoadedConfig): boolean {
  return (
    isDeepStrictEqual(left.config, right.config) &&
    isDeepStrictEqual(left.materials, right.materials) &&
    isDeepStrictEqual(left.userPolicies?.modules, right.userPolicies?.modules)
  );
}

/**
 * What changed, in one line for the log: `routes: 2 added, 1 changed; services: orders changed`.
 * Empty when nothing did.
 */
export function describeChanges(before: LoadedConfig, after: LoadedConfig): string {
  const parts = [
    counted("routes", changes(routesByName(before.config), routesByName(after.config))),
    named("services", changes(before.config.services, after.config.services)),
    named("listeners", changes(byKey(before.config), byKey(after.config))),
    named("files", changes(before.materials, after.materials)),
    named("files of policies", changes(modulesOf(before), modulesOf(after))),
    ...otherKeys(before.config, after.config),
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function modulesOf({ userPolicies }: LoadedConfig): Record<string, string> {
  return userPolicies?.modules ?? {};
}

interface Changes {
  added: string[];
  removed: string[];
  changed: string[];
}

type Named = Readonly<Record<string, unknown>>;

function changes(before: Named, after: Named): Changes {
  const names = Object.keys(before);
  return {
    added: Object.keys(after).filter((name) => !Object.hasOwn(before, name)),
    removed: names.filter((name) => !Object.hasOwn(after, name)),
    changed: names.filter(
      (name) => Object.hasOwn(after, name) && !isDeepStrictEqual(before[name], after[name]),
    ),
  };
}

/** How many of each; for what there may be thousands of. */
function counted(subject: string, { added, removed, changed }: Changes): string {
  const counts: string[] = [];
  if (added.length > 0) counts.push(`${added.length} added`);
  if (removed.length > 0) counts.push(`${removed.length} removed`);
  if (changed.length > 0) counts.push(`${changed.length} changed`);
  return counts.length === 0 ? "" : `${subject}: ${counts.join(", ")}`;
}

const NAMED_MAX = 5;

/** The names themselves while they are few. */
function named(subject: string, all: Changes): string {
  const { added, removed, changed } = all;
  if (added.length + removed.length + changed.length > NAMED_MAX) return counted(subject, all);
  const words: string[] = [];
  if (added.length > 0) words.push(`${added.join(", ")} added`);
  if (removed.length > 0) words.push(`${removed.join(", ")} removed`);
  if (changed.length > 0) words.push(`${changed.join(", ")} changed`);
  return words.length === 0 ? "" : `${subject}: ${words.join(", ")}`;
}

function routesByName({ routes }: Config): Record<string, RouteConfig> {
  return Object.fromEntries(routes.map((route) => [route.name, route]));
}

function byKey({ listen }: Config): Named {
  return Object.fromEntries(listen.map((listener) => [listener.key, listener]));
}

const TOLD_APART = new Set(["routes", "services", "listen"]);

function otherKeys(before: Config, after: Config): string[] {
  const keys = Object.keys(after) as (keyof Config)[];
  return keys
    .filter((key) => !TOLD_APART.has(key) && !isDeepStrictEqual(before[key], after[key]))
    .map((key) => `${key} changed`);
}
