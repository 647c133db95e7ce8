/** rule-schema: how a rule of `authorize` is written. */
import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { expression } from "../../policy/values/expression.ts";
import { flag } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { listOf, text } from "../../policy/values/text.ts";

export type ClaimValue = string | number | boolean;

/** What a claim has to be; all that is said. */
export interface ClaimRule {
  /** Name of the claim, or its way into maps: `realm_access.roles`. */
  path: string;
  /** It is one of these, or a list that holds one; [] for any value. */
  any: ClaimValue[];
  /** It is a list that holds all of these. */
  all: ClaimValue[];
  /** Whether it has to be there; null where that follows from the rest. */
  present: boolean | null;
}

/** All that is said has to hold. Lists are empty where nothing is said. */
export interface RuleConfig {
  /** Everyone who is known. */
  authenticated: boolean;
  methods: string[];
  scopes: string[];
  anyScope: string[];
  roles: string[];
  groups: string[];
  consumers: string[];
  claims: ClaimRule[];
  /** CEL; "" for none. */
  expression: string;
}

/** RFC 6749 section 3.3: a challenge can name it. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** RFC 9110 section 9.1: a token. */
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const names = (what: string) => listOf(text(what), what).optional();
const scopes = () => {
  const error = "a scope has no blanks, quotes or backslashes";
  return listOf(text("a scope").regex(SCOPE, { error }), "a scope").optional();
};

const claimValue = z
  .union([z.string(), z.number(), z.boolean()], {
    error: expected("a text, a number, or true or false"),
  })
  .meta({ kind: "value" });
const claimValues = listOf(claimValue, "a value");

const claimMap = section({
  any: claimValues.optional().describe("It is one of these, or a list that holds one of them."),
  all: claimValues.optional().describe("It is a list that holds all of these."),
  present: flag().optional().describe("Whether it is there at all."),
}).transform(({ any = [], all = [], present }): Omit<ClaimRule, "path"> => {
  return { any, all, present: present ?? null };
});

const claimRule = z.union(
  [
    claimValues.transform((any): Omit<ClaimRule, "path"> => ({ any, all: [], present: null })),
    claimMap,
  ],
  { error: expected("a value, a list of values, or a map", "write keys among any, all, present") },
);

const ruleMap = section(
  {
    scopes: scopes().describe("Scopes that the caller must all have."),
    anyScope: scopes().describe("Scopes of which one is enough."),
    roles: names("a role").describe("Roles of which one is enough."),
    groups: names("a group").describe("Groups of which one is enough."),
    consumers: names("a consumer").describe("Consumers who are meant."),
    claims: z
      .record(z.string(), claimRule, { error: expected("a map of claims to their values") })
      .optional()
      .describe("What claims of the token have to be, by their names; dots lead into maps."),
    methods: listOf(text("a method").regex(METHOD, { error: "not a method" }), "a method")
      .optional()
      .describe("Methods for which the rule is; default all."),
    expression: expression().optional().describe("CEL that has to be true."),
  },
  { what: "a rule" },
).transform((rule): RuleConfig => {
  const claims = Object.entries(rule.claims ?? {}).map(([path, rest]) => ({ path, ...rest }));
  return {
    authenticated: false,
    methods: rule.methods ?? [],
    scopes: rule.scopes ?? [],
    anyScope: rule.anyScope ?? [],
    roles: rule.roles ?? [],
    groups: rule.groups ?? [],
    consumers: rule.consumers ?? [],
    claims,
    expression: rule.expression ?? "",
  };
});

const authenticated = z.literal("authenticated").transform((): RuleConfig => ({
  ...NOTHING,
  authenticated: true,
}));

const NOTHING: RuleConfig = {
  authenticated: false,
  methods: [],
  scopes: [],
  anyScope: [],
  roles: [],
  groups: [],
  consumers: [],
  claims: [],
  expression: "",
};

const anyRule = z.union([authenticated, ruleMap], {
  error: expected("a rule", "write a map, or authenticated"),
});

/** Schema of a list of rules; a single one may stand without the brackets. */
export function rules() {
  return listOf(anyRule, "a rule");
}

/** Whether the rule asks who is calling. */
export function needsIdentity(rule: RuleConfig): boolean {
  return rule.authenticated || namesOf(rule).length > 0 || rule.claims.length > 0;
}

/** Whether it says nothing at all. */
export function isEmpty(rule: RuleConfig): boolean {
  return !needsIdentity(rule) && rule.methods.length === 0 && rule.expression === "";
}

function namesOf({ scopes: all, anyScope, roles, groups, consumers }: RuleConfig): string[] {
  return [...all, ...anyScope, ...roles, ...groups, ...consumers];
}
