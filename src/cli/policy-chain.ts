/** policy-chain: which policies a request meets, in order, and where each is written. */
import type { Config, PolicyUse, RouteConfig } from "../config/config.ts";
import { formatPath, type DocumentPath } from "../config/mistake.ts";
import { policyLists, type PolicyUseList } from "../config/policy-uses.ts";
import type { AppliesConfig } from "../config/schema/applies.ts";
import { servicesOf } from "../config/schema/handler.ts";
import { describeRoutes } from "../routing/describe.ts";
import { compileRoutes } from "../routing/route-table.ts";

/** An entry of a list of policies, as it is shown. */
export interface ShownPolicy {
  name: string;
  /** Place in the configuration: `services.users.policies[0]`. */
  at: string;
  /** Which requests meet it; absent: all. */
  when?: string;
  /** Which do not. */
  unless?: string;
  /** Members of `any-of` and `all-of`. */
  of?: ShownPolicy[];
}

/** What callers with a plan, or one consumer, meet after the policies of the route. */
export interface ShownCaller {
  name: string;
  /** Names of the routes that it covers; of plans. */
  routes?: string[];
  /** Of consumers that have one. */
  plan?: string;
  policies: ShownPolicy[];
}

/** The lists of a configuration, ready to be put together for each route. */
export class PolicyChains {
  private readonly config: Config;
  private readonly gateway: ShownPolicy[] = [];
  private readonly services = new Map<string, ShownPolicy[]>();
  private readonly routes = new Map<string, ShownPolicy[]>();
  readonly plans: ShownCaller[] = [];
  readonly consumers: ShownCaller[] = [];

  constructor(config: Config) {
    this.config = config;
    for (const list of policyLists(config)) this.add(list);
  }

  /** What every request of a route meets, in order. */
  ofRoute({ name, handler }: RouteConfig): ShownPolicy[] {
    const own = this.routes.get(name) ?? [];
    if (handler.kind === "service") {
      return [...this.gateway, ...(this.services.get(handler.service) ?? []), ...own];
    }
    const behind = servicesOf(handler).flatMap((service) =>
      (this.services.get(service) ?? []).map((policy) => behindChoice(policy, service)),
    );
    return [...this.gateway, ...own, ...behind];
  }

  private add({ place, uses, path }: PolicyUseList): void {
    const { name } = place;
    const policies = uses.map((use, index) => shown(use, [...path, index]));
    switch (place.kind) {
      case "gateway":
        this.gateway.push(...policies);
        break;
      case "service":
        this.services.set(name, policies);
        break;
      case "route":
        this.routes.set(name, policies);
        break;
      case "plan":
        this.plans.push({ name, routes: this.config.plans[name]!.routes, policies });
        break;
      case "consumer": {
        const { plan } = this.config.consumers[name]!;
        this.consumers.push({ name, ...(plan === "" ? {} : { plan }), policies });
        break;
      }
    }
  }
}

/** Met only where the split has chosen that service. */
function behindChoice(policy: ShownPolicy, service: string): ShownPolicy {
  const chosen = `sent to ${service}`;
  return { ...policy, when: policy.when === undefined ? chosen : `${chosen} and ${policy.when}` };
}

function shown({ name, when, unless, of }: PolicyUse, path: DocumentPath): ShownPolicy {
  return {
    name,
    at: formatPath(path),
    ...(when === undefined ? {} : { when: inWords(when) }),
    ...(unless === undefined ? {} : { unless: inWords(unless) }),
    ...(of === undefined ? {} : { of: of.map((one, index) => shown(one, [...path, name, index])) }),
  };
}

/** `GET,POST api.example.com/orders/* and header x-beta=1 and identity != null`. */
function inWords({ match, expression }: AppliesConfig): string {
  const { matcher } = compileRoutes([{ value: true, name: "", match }]);
  const [row] = describeRoutes(matcher);
  const { methods, hosts, path, conditions } = row!;
  const hostNames = hosts.includes("*") ? "" : hosts.join(",");
  const request = `${methods.join(",")} ${hostNames}${path}`.trim();
  const parts = [request === "/*" ? "" : request, ...conditions, expression];
  return parts.filter((part) => part !== "").join(" and ") || "every request";
}

/** A line for each policy, those of combinations below them; aligned. */
export function chainLines(policies: readonly ShownPolicy[]): string[] {
  const rows = policies.flatMap((policy, index) => rowsOf(policy, `${index + 1}`.padStart(3), ""));
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, rest]) => `${name.padEnd(width)}  ${rest}`.trimEnd());
}

function rowsOf(
  { name, at, when, unless, of = [] }: ShownPolicy,
  number: string,
  indent: string,
): [name: string, rest: string][] {
  const conditions = [
    when === undefined ? "" : `when ${when}`,
    unless === undefined ? "" : `unless ${unless}`,
  ];
  const rest = [at, ...conditions].filter((part) => part !== "").join("  ");
  const members = of.flatMap((one) => rowsOf(one, "   ", `${indent}  `));
  return [[`${number} ${indent}${name}`, rest], ...members];
}
