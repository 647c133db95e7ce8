/** compile-policies: a list of policies, as it is written in one place, becomes flat lists of hooks. */
import { allOf, anyOf } from "../policy/any-of.ts";
import { authenticatorHooks, type Authenticator } from "../policy/authenticator.ts";
import type { PolicyEnvironment, PolicyPlace } from "../policy/environment.ts";
import { ExchangeMemory } from "../policy/exchange-memory.ts";
import type { Exchange } from "../policy/exchange.ts";
import type { Expression } from "../policy/expression.ts";
import type { PolicyDefinition, PolicyHooks } from "../policy/policy.ts";
import { NO_HOOKS } from "../proxy/no-hooks.ts";
import type { CompiledHooks, Standby } from "../proxy/snapshot.ts";
import { MatchResult, MATCHED } from "../routing/match-result.ts";
import { compileRoutes } from "../routing/route-table.ts";
import type { PolicyUse } from "./config.ts";
import type { AppliesConfig } from "./schema/applies.ts";
import { ALL_OF, ANONYMOUS, ANY_OF } from "./schema/policy-use.ts";

export { NO_HOOKS };

/** Which policies there are, and what they are given. */
export interface PolicyContext {
  policies: Readonly<Record<string, PolicyDefinition>>;
  /** @param id names the use: the same in every worker and after reloads. */
  environmentOf(policy: PolicyDefinition, place: PolicyPlace, id: string): PolicyEnvironment;
  /** @throws Refusal saying what is wrong with it */
  expression(text: string): Expression;
}

/** Hooks of one use; several where it combines authenticators. */
type Parts = readonly PolicyHooks[];

/** @throws Error when a policy cannot be used as it is configured */
export function compilePolicies(
  uses: readonly PolicyUse[],
  place: PolicyPlace,
  context: PolicyContext,
): CompiledHooks {
  if (uses.length === 0) return NO_HOOKS;
  const compiler = new PlaceCompiler(place, context);
  const parts = uses.flatMap((use) => compiler.compile(use));
  const reversed = parts.toReversed();
  const defined = <Hook>(hook: Hook | undefined): Hook[] => (hook === undefined ? [] : [hook]);
  return {
    onPreflight: reversed.flatMap((hooks) => defined(hooks.onPreflight)),
    onRequest: parts.flatMap((hooks) => defined(hooks.onRequest)),
    outward: outwardOf(parts, "onResponse"),
    outwardEnd: outwardOf(parts, "onEnd"),
    onResponse: reversed.flatMap((hooks) => defined(hooks.onResponse)),
    onEnd: reversed.flatMap((hooks) => defined(hooks.onEnd)),
    standbys: standbysOf(parts),
  };
}

function standbysOf(parts: Parts): Standby[] {
  const standbys = parts.flatMap(({ onServiceFailed }, index): Standby[] => {
    if (onServiceFailed === undefined) return [];
    const inner = parts.slice(index).filter(({ onResponse }) => onResponse !== undefined);
    return [{ onServiceFailed, outward: inner.length }];
  });
  return standbys.toReversed();
}

/** For each `onRequest`: how many of those hooks belong to its own policy and the ones behind it. */
function outwardOf(parts: Parts, hook: "onResponse" | "onEnd"): number[] {
  return parts.flatMap(({ onRequest }, index) => {
    if (onRequest === undefined) return [];
    return [parts.slice(index).filter((hooks) => hooks[hook] !== undefined).length];
  });
}

/** Requests meet `first` before `second`, responses the other way round. */
export function joinHooks(first: CompiledHooks, second: CompiledHooks): CompiledHooks {
  if (second === NO_HOOKS) return first;
  if (first === NO_HOOKS) return second;
  return {
    onPreflight: [...second.onPreflight, ...first.onPreflight],
    onRequest: [...first.onRequest, ...second.onRequest],
    outward: [...first.outward.map((at) => at + second.onResponse.length), ...second.outward],
    outwardEnd: [...first.outwardEnd.map((at) => at + second.onEnd.length), ...second.outwardEnd],
    onResponse: [...second.onResponse, ...first.onResponse],
    onEnd: [...second.onEnd, ...first.onEnd],
    standbys: [
      ...second.standbys,
      ...first.standbys.map(({ onServiceFailed, outward }) => {
        return { onServiceFailed, outward: outward + second.onResponse.length };
      }),
    ],
  };
}

/** What a use of a policy is called within its place: equal policies are told apart by their order. */
export function useIds(place: PolicyPlace): (name: string) => string {
  const counts = new Map<string, number>();
  const where = place.name === "" ? place.kind : `${place.kind} ${place.name}`;
  return (name) => {
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return `${where}/${name}/${count}`;
  };
}

class PlaceCompiler {
  private readonly place: PolicyPlace;
  private readonly context: PolicyContext;
  private readonly idOf: (name: string) => string;

  constructor(place: PolicyPlace, context: PolicyContext) {
    this.place = place;
    this.context = context;
    this.idOf = useIds(place);
  }

  compile(use: PolicyUse): Parts {
    const parts = use.of === undefined ? [this.compilePlain(use)] : this.compileCombined(use);
    const { when, unless } = use;
    if (when === undefined && unless === undefined) return parts;
    const accepts = when === undefined ? () => true : compileApplies(when, this.context);
    const refuses = unless === undefined ? () => false : compileApplies(unless, this.context);
    return conditional(parts, (exchange, method) => {
      return accepts(exchange, method) && !refuses(exchange, method);
    });
  }

  private compilePlain({ name, options }: PolicyUse): PolicyHooks {
    return this.made(name, (policy, environment) => policy.compile(options, environment));
  }

  /** The judgement of all is one hook; what each does afterwards stays its own. */
  private compileCombined(use: PolicyUse): Parts {
    const members: Authenticator[] = [];
    const combined = this.combine(use, members);
    const isOpen = use.of!.some(({ name }) => name === ANONYMOUS);
    const { onRequest } = authenticatorHooks(combined, isOpen);
    const later = members.map(({ onResponse, onEnd }): PolicyHooks => {
      return {
        ...(onResponse === undefined ? {} : { onResponse }),
        ...(onEnd === undefined ? {} : { onEnd }),
      };
    });
    return [{ onRequest: onRequest! }, ...later];
  }

  private combine({ name, of = [] }: PolicyUse, members: Authenticator[]): Authenticator {
    const parts = of
      .filter((one) => one.name !== ANONYMOUS)
      .map((one) => {
        if (one.name === ALL_OF || one.name === ANY_OF) return this.combine(one, members);
        const member = this.compileMember(one);
        members.push(member);
        return member;
      });
    return name === ANY_OF ? anyOf(parts) : allOf(parts);
  }

  private compileMember({ name, options }: PolicyUse): Authenticator {
    return this.made(name, (policy, environment) => {
      if (policy.compileAuthenticator === undefined) throw new Error("it authenticates nobody");
      return policy.compileAuthenticator(options, environment);
    });
  }

  private policyNamed(name: string): PolicyDefinition {
    const { policies } = this.context;
    if (!Object.hasOwn(policies, name)) throw new Error(`no policy named "${name}"`);
    return policies[name]!;
  }

  /** What a policy throws here refuses the configuration: the message says which it was. */
  private made<Made>(
    name: string,
    make: (policy: PolicyDefinition, environment: PolicyEnvironment) => Made,
  ): Made {
    const policy = this.policyNamed(name);
    try {
      return make(policy, this.context.environmentOf(policy, this.place, this.idOf(name)));
    } catch (error) {
      const { place } = this;
      const where = place.name === "" ? place.kind : `${place.kind} ${place.name}`;
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`the policy ${name} of ${where} fails: ${reason}`, { cause: error });
    }
  }
}

/** Whether it holds for a request. `method`: its own, or the one that a preflight asks about. */
type Condition = (exchange: Exchange, method: string) => boolean;

/** A routing table of one route, so that a condition reads as `match` does. */
export function compileApplies(
  { match, expression }: AppliesConfig,
  context: Pick<PolicyContext, "expression">,
): Condition {
  const { matcher } = compileRoutes([{ value: true, name: "", match }]);
  const result = new MatchResult<boolean>();
  const matches: Condition = (exchange, method) => {
    matcher.match(exchange, result, method);
    return result.outcome === MATCHED;
  };
  if (expression === "") return matches;
  const condition = context.expression(expression);
  return (exchange, method) => matches(exchange, method) && condition.test(exchange);
}

function askedMethod(exchange: Exchange): string {
  return exchange.header("access-control-request-method") ?? exchange.method;
}

/** Decides once, when the request comes; what a request did not meet, its response does not either. */
function conditional(parts: Parts, applies: Condition): Parts {
  const decision = new ExchangeMemory<boolean>();
  const isMet = (exchange: Exchange): boolean => decision.get(exchange) === true;
  const decide = (exchange: Exchange): boolean => {
    const decided = applies(exchange, exchange.method);
    decision.set(exchange, decided);
    return decided;
  };
  return parts.map(
    ({ onPreflight, onRequest, onResponse, onServiceFailed, onEnd }, index): PolicyHooks => {
      const isHere = index === 0 ? decide : isMet;
      return {
        ...(onPreflight === undefined
          ? {}
          : {
              onPreflight: (exchange) =>
                applies(exchange, askedMethod(exchange)) ? onPreflight(exchange) : undefined,
            }),
        onRequest: (exchange) => (isHere(exchange) ? onRequest?.(exchange) : undefined),
        ...(onResponse === undefined
          ? {}
          : { onResponse: (exchange) => (isMet(exchange) ? onResponse(exchange) : undefined) }),
        ...(onServiceFailed === undefined
          ? {}
          : {
              onServiceFailed: (exchange) =>
                isMet(exchange) ? onServiceFailed(exchange) : undefined,
            }),
        ...(onEnd === undefined
          ? {}
          : {
              onEnd: (exchange) => {
                if (isMet(exchange)) onEnd(exchange);
              },
            }),
      };
    },
  );
}
