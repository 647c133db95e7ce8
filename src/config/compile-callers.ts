/** compile-callers: what becomes of a known caller's request, and how services are told of it. */
import { Fault, faults, faultTypes } from "../base/faults.ts";
import { PRIORITIES } from "../base/priorities.ts";
import type { Exchange } from "../policy/exchange.ts";
import type { Identity } from "../policy/identity.ts";
import { IdentityFields } from "../proxy/identity-fields.ts";
import type { CallerRules, CompiledHooks, IdentityHeaders } from "../proxy/snapshot.ts";
import { identityLines } from "./identity-lines.ts";
import { identityHeaderNames } from "./schema/identity.ts";
import { compilePolicies, joinHooks, NO_HOOKS, type PolicyContext } from "./compile-policies.ts";
import type { Config, IdentityConfig, PlanConfig } from "./config.ts";
import { routePattern } from "./route-pattern.ts";

const EVERY_ROUTE = "*";

/** A plan that is gone from the document takes its limits along: nobody passes on it. */
const UNKNOWN_PLAN: CompiledHooks = {
  ...NO_HOOKS,
  onRequest: [() => new Fault(faultTypes["route-not-in-plan"], "There is no such plan any more.")],
  outward: [0],
  outwardEnd: [0],
};

/** Rules by the names of plans and consumers; consumers of the store have plans too. */
class PlansAndConsumers implements CallerRules {
  private readonly plans: ReadonlyMap<string, CompiledHooks>;
  /** Of consumers that have policies of their own: their plan's, and these. */
  private readonly consumers: ReadonlyMap<string, CompiledHooks>;
  /** Of plans that have one. */
  private readonly priorities: ReadonlyMap<string, number>;
  readonly priorityMax: number;

  constructor(
    plans: ReadonlyMap<string, CompiledHooks>,
    consumers: ReadonlyMap<string, CompiledHooks>,
    priorities: ReadonlyMap<string, number>,
  ) {
    this.plans = plans;
    this.consumers = consumers;
    this.priorities = priorities;
    this.priorityMax = Math.max(-1, ...priorities.values());
  }

  hooksFor({ consumer }: Identity): CompiledHooks | null {
    if (consumer === null) return null;
    const own = this.consumers.size === 0 ? undefined : this.consumers.get(consumer.name);
    if (own !== undefined) return own;
    if (consumer.plan === "") return null;
    return this.plans.get(consumer.plan) ?? UNKNOWN_PLAN;
  }

  priorityFor({ consumer }: Identity, fallback: number): number {
    if (consumer === null || this.priorities.size === 0) return fallback;
    return this.priorities.get(consumer.plan) ?? fallback;
  }
}

/** @throws Error when a policy cannot be used as it is configured */
export function compileCallers(
  config: Pick<Config, "plans" | "consumers">,
  context: PolicyContext,
): CallerRules {
  const plans = new Map<string, CompiledHooks>();
  const priorities = new Map<string, number>();
  for (const [name, plan] of Object.entries(config.plans)) {
    const own = compilePolicies(plan.policies, { kind: "plan", name }, context);
    plans.set(name, joinHooks(planGuard(plan), own));
    if (plan.priority !== undefined) priorities.set(name, PRIORITIES.indexOf(plan.priority));
  }
  const consumers = new Map<string, CompiledHooks>();
  for (const [name, { plan, policies }] of Object.entries(config.consumers)) {
    if (policies.length === 0) continue;
    const own = compilePolicies(policies, { kind: "consumer", name }, context);
    const before = plan === "" ? NO_HOOKS : (plans.get(plan) ?? UNKNOWN_PLAN);
    consumers.set(name, joinHooks(before, own));
  }
  return new PlansAndConsumers(plans, consumers, priorities);
}

/** Lets pass what the plan covers; what a route's name means for it is worked out once. */
function planGuard({ routes }: PlanConfig): CompiledHooks {
  if (routes.includes(EVERY_ROUTE)) return NO_HOOKS;
  const patterns = routes.map(routePattern);
  const known = new Map<string, boolean>();
  const covers = (name: string): boolean => {
    let isCovered = known.get(name);
    if (isCovered === undefined) {
      isCovered = patterns.some((pattern) => pattern(name));
      known.set(name, isCovered);
    }
    return isCovered;
  };
  const onRequest = ({ routeName }: Exchange) =>
    covers(routeName) ? undefined : faults["route-not-in-plan"];
  return { ...NO_HOOKS, onRequest: [onRequest], outward: [0], outwardEnd: [0] };
}

/** What services are told, and clients may not say. */
export function compileIdentityHeaders(config: IdentityConfig): IdentityHeaders {
  return new IdentityFields(identityHeaderNames(config), identityLines(config));
}
