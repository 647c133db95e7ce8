import type { PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Expression } from "../../policy/expression.ts";
import type { Identity } from "../../policy/identity.ts";
import { claimHolds } from "./claim-holds.ts";
import { needsIdentity, type RuleConfig } from "./rule-schema.ts";

export const HOLDS = 0;
/** All but the scopes. */
export const LACKS_SCOPE = 1;
export const FAILS = 2;

/** One rule. What it says of an exchange costs no allocation but what its expression needs. */
export class CompiledRule {
  private readonly rule: RuleConfig;
  private readonly asksWho: boolean;
  private readonly expression: Expression | null;
  private readonly holdsOnFailure: boolean;

  /**
   * @param denies an expression that fails counts as true: what cannot be told is denied
   * @throws Refusal when its expression does not compile
   */
  constructor(
    rule: RuleConfig,
    environment: Pick<PolicyEnvironment, "expression">,
    { denies }: { denies: boolean },
  ) {
    this.rule = rule;
    this.holdsOnFailure = denies;
    this.asksWho = needsIdentity(rule);
    this.expression = rule.expression === "" ? null : environment.expression(rule.expression);
  }

  /** HOLDS, LACKS_SCOPE or FAILS. */
  test(exchange: Exchange): number {
    const { methods } = this.rule;
    if (methods.length > 0 && !methods.includes(exchange.method)) return FAILS;
    const { identity } = exchange;
    if (this.asksWho && (identity === null || !this.isMeant(identity))) return FAILS;
    if (this.expression !== null && !this.expression.test(exchange, this.holdsOnFailure))
      return FAILS;
    return identity === null || this.hasScopes(identity) ? HOLDS : LACKS_SCOPE;
  }

  private isMeant(identity: Identity): boolean {
    const { consumers, roles, groups, claims } = this.rule;
    if (consumers.length > 0) {
      const { consumer } = identity;
      if (consumer === null || !consumers.includes(consumer.name)) return false;
    }
    if (roles.length > 0 && !hasOne(identity.roles, roles)) return false;
    if (groups.length > 0 && !hasOne(identity.groups, groups)) return false;
    for (let index = 0; index < claims.length; index++) {
      if (!claimHolds(identity.claims, claims[index]!)) return false;
    }
    return true;
  }

  private hasScopes({ scopes: granted }: Identity): boolean {
    const { scopes, anyScope } = this.rule;
    for (let index = 0; index < scopes.length; index++) {
      if (!granted.includes(scopes[index]!)) return false;
    }
    return anyScope.length === 0 || hasOne(granted, anyScope);
  }
}

function hasOne(held: readonly string[], wanted: readonly string[]): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (held.includes(wanted[index]!)) return true;
  }
  return false;
}
