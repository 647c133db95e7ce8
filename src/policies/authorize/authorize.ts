/**
 * authorize: lets those pass whom a rule grants the request, and nobody else.
 */
import { Fault, faultTypes } from "../../base/faults.ts";
import { definePolicy, type OptionMistake, type PolicySurroundings } from "../../policy/policy.ts";
import { nearest } from "../../policy/values/did-you-mean.ts";
import { flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { CompiledRule, HOLDS, LACKS_SCOPE } from "./compiled-rule.ts";
import { isEmpty, needsIdentity, rules, type RuleConfig } from "./rule-schema.ts";

const DENIED = new Fault(faultTypes.forbidden);
const UNKNOWN = new Fault(
  faultTypes.forbidden,
  "The request does not say who it comes from.",
  "anonymous",
);

export default definePolicy({
  name: "authorize",
  summary: "Lets callers pass by scope, role, group, claim or expression, and nobody else.",
  schema: section({
    allow: rules().describe("Rules of which one is enough; `authenticated` is everyone known."),
    deny: rules().prefault([]).describe("Rules whom nothing is allowed, whatever `allow` says."),
    dryRun: flag().prefault(false).describe("Only count what would be denied."),
  }),
  results: ["allowed", "denied", "would_deny"],
  needs: ({ allow, deny }) => ([...allow, ...deny].some(needsIdentity) ? ["identity"] : []),

  check({ allow, deny }, surroundings) {
    const mistakes: OptionMistake[] = [];
    const hint = "allow: authenticated lets everyone pass who is known";
    if (allow.length === 0) {
      mistakes.push({ path: ["allow"], message: "nobody may pass", hint });
    }
    for (const [name, list] of Object.entries({ allow, deny })) {
      for (const [index, rule] of list.entries()) {
        const path = [name, index];
        if (isEmpty(rule)) mistakes.push({ path, message: "the rule says nothing", hint });
        mistakes.push(...unknownConsumers(rule, path, surroundings));
      }
    }
    const all = allow.findIndex(({ authenticated }) => authenticated);
    if (all >= 0 && allow.some((rule, index) => index !== all && needsIdentity(rule))) {
      const message = "everyone known may pass already: the other rules allow nobody else";
      mistakes.push({ path: ["allow", all], message, isWarning: true });
    }
    return mistakes;
  },

  compile({ allow, deny, dryRun }, environment) {
    const allowing = allow.map((rule) => new CompiledRule(rule, environment, { denies: false }));
    const denying = deny.map((rule) => new CompiledRule(rule, environment, { denies: true }));
    const scopeFaults = allow.map(insufficientScope);
    const allowed = environment.counter("allowed");
    const denied = environment.counter(dryRun ? "would_deny" : "denied");
    const refuse = (fault: Fault): Fault | undefined => {
      denied.add(1);
      return dryRun ? undefined : fault;
    };
    return {
      onRequest(exchange) {
        for (let index = 0; index < denying.length; index++) {
          if (denying[index]!.test(exchange) === HOLDS) return refuse(DENIED);
        }
        let lacking = -1;
        for (let index = 0; index < allowing.length; index++) {
          const outcome = allowing[index]!.test(exchange);
          if (outcome === HOLDS) {
            allowed.add(1);
            return undefined;
          }
          if (outcome === LACKS_SCOPE && lacking < 0) lacking = index;
        }
        if (exchange.identity === null) return refuse(UNKNOWN);
        return refuse(lacking < 0 ? DENIED : scopeFaults[lacking]!);
      },
    };
  },
});

/** RFC 6750 section 3.1: says which scopes would do, so that a client can ask for a token that has them. */
function insufficientScope({ scopes, anyScope }: RuleConfig): Fault {
  const enough = [...scopes, ...anyScope.slice(0, 1)].join(" ");
  return new Fault(
    faultTypes.forbidden,
    "The credential lacks a scope that this needs.",
    "insufficient-scope",
    { "www-authenticate": `Bearer error="insufficient_scope", scope="${enough}"` },
  );
}

/** Only warnings: a consumer may be one of the store. */
function unknownConsumers(
  { consumers }: RuleConfig,
  path: readonly (string | number)[],
  { consumers: known }: PolicySurroundings,
): OptionMistake[] {
  return consumers.flatMap((name, index): OptionMistake[] => {
    if (known.includes(name)) return [];
    const near = nearest(name, known);
    const message = `the document has no consumer ${JSON.stringify(name)}`;
    return [
      {
        path: [...path, "consumers", index],
        message,
        ...(near === undefined ? {} : { hint: `did you mean ${JSON.stringify(near)}?` }),
        isWarning: true,
      },
    ];
  });
}
