import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { suggestion } from "../../policy/values/did-you-mean.ts";
import { type EditorHints, parsedText } from "../../policy/values/parsed-text.ts";
import type { PolicyDefinition } from "../../policy/policy.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { applies, type AppliesConfig } from "./applies.ts";

/** What the configuration has to know of a policy. */
export type PolicySchema = Pick<PolicyDefinition, "schema" | "summary"> &
  Partial<Omit<PolicyDefinition, "schema" | "summary">>;

/** The policies there are, by name. */
export type PolicySchemas = Readonly<Record<string, PolicySchema>>;

/** One entry of a list of policies. */
export interface PolicyUse {
  /** `any-of` and `all-of` for those. */
  name: string;
  /** What the policy's own schema puts out. */
  options: unknown;
  /** Only requests that this takes meet the policy. */
  when?: AppliesConfig;
  /** Requests that this takes do not. */
  unless?: AppliesConfig;
  /** The authenticators of `any-of` and `all-of`. */
  of?: PolicyUse[];
}

/** What users write: the name alone, or a map of one key, the name, to the options. */
export type PolicyUseInput = string | Record<string, unknown>;

export const ANY_OF = "any-of";
export const ALL_OF = "all-of";
/** Stands in `any-of` for callers without any credential. */
export const ANONYMOUS = "anonymous";

/** Names of policies of the user's, for editors: files, and packages that say by their name what they are. */
const OWN_NAMES = "^(\\.{0,2}/|@[^/]+/|gateward-)";

const HINT = "write its name, or a map of its name to its options";
const conditionKeys = ["when", "unless"];

/** Schema of a list of policies, in the order they run. */
export function policyList(policies: PolicySchemas): z.ZodType<PolicyUse[], PolicyUseInput[]> {
  const configured = section(
    {
      ...optionShape(policies),
      ...combinationShape(policies),
      when: applies.optional().describe("Only requests that this takes meet the policy."),
      unless: applies.optional().describe("Requests that this takes do not meet the policy."),
    },
    { what: "a policy", unknown: unknownPolicy },
  )
    .meta({ editorKeys: OWN_NAMES } satisfies EditorHints)
    .transform((value, context): PolicyUse => {
      const { when, unless, ...named } = value as Record<string, unknown>;
      const use = useOf(named, context);
      if (when !== undefined) use.when = when as AppliesConfig;
      if (unless !== undefined) use.unless = unless as AppliesConfig;
      return use;
    });
  const use = z.union([bareUseSchema(policies), configured], {
    error: expected("a policy", HINT),
  });
  return z.array(use, {
    error: expected("a list of policies", "begin each with a dash, in the order they run"),
  });
}

function optionShape(policies: PolicySchemas) {
  return Object.fromEntries(
    Object.entries(policies).map(([name, { schema, summary }]) => {
      // A default of the whole would otherwise use every policy that has one.
      return [name, z.nonoptional(schema).optional().describe(summary)] as const;
    }),
  );
}

function combinationShape(policies: PolicySchemas): Record<string, z.ZodType> {
  const authenticators = Object.fromEntries(
    Object.entries(policies).filter(([, policy]) => policy.compileAuthenticator !== undefined),
  );
  const unknown = unknownAuthenticator;
  const options = { what: "an authenticator", unknown };
  const one = z.union(
    [bareUseSchema(authenticators), section(optionShape(authenticators), options).transform(useOf)],
    { error: expected("an authenticator", HINT) },
  );
  const all = z.array(one, { error: expected("a list of authenticators") }).min(2, {
    error: "fewer than two; write the authenticator by itself",
  });
  const member = z.union(
    [
      z.literal(ANONYMOUS).transform((): PolicyUse => ({ name: ANONYMOUS, options: {} })),
      bareUseSchema(authenticators),
      section(
        {
          ...optionShape(authenticators),
          [ALL_OF]: all.optional().describe("All have to accept."),
        },
        options,
      ).transform(useOf),
    ],
    { error: expected("an authenticator, all-of, or anonymous", HINT) },
  );
  const any = z.array(member, { error: expected("a list of authenticators") }).min(1, {
    error: "nobody could pass; write at least one authenticator",
  });
  return {
    [ANY_OF]: any
      .optional()
      .describe(
        "Authenticators of which one has to accept; `anonymous` lets callers without credentials pass.",
      ),
    [ALL_OF]: all.optional().describe("Authenticators that all have to accept."),
  };
}

function useOf(value: Record<string, unknown>, context: z.RefinementCtx): PolicyUse {
  const [name, ...others] = Object.keys(value);
  if (name !== undefined && others.length === 0) {
    if (name !== ANY_OF && name !== ALL_OF) return { name, options: value[name] };
    return { name, options: {}, of: value[name] as PolicyUse[] };
  }
  const message =
    name === undefined ? "names no policy" : `${others.length + 1} policies in one entry`;
  const params = { hint: "one policy for each entry of the list" };
  context.issues.push({ code: "custom", message, params, input: value });
  return z.NEVER;
}

function bareUseSchema(policies: PolicySchemas) {
  const names = Object.keys(policies);
  return parsedText((name) => bareUse(name, policies), {
    what: "a policy",
    hint: HINT,
    pattern: OWN_NAMES,
    ...(names.length === 0 ? {} : { choices: names }),
  });
}

function unknownPolicy(name: string, known: readonly string[]): string {
  const names = known.filter((one) => !conditionKeys.includes(one));
  return `no policy named ${JSON.stringify(name)}; ${suggestion(name, names) ?? "see the reference"}`;
}

function unknownAuthenticator(name: string, known: readonly string[]): string {
  const hint = suggestion(name, known) ?? `there are ${known.join(", ")}`;
  return `no authenticator named ${JSON.stringify(name)}; ${hint}`;
}

function bareUse(name: string, policies: PolicySchemas): PolicyUse {
  if (!Object.hasOwn(policies, name)) {
    const [message = "", hint] = unknownPolicy(name, Object.keys(policies)).split("; ");
    throw new Refusal(message, hint);
  }
  const parsed = policies[name]!.schema.safeParse({});
  if (parsed.success) return { name, options: parsed.data };
  const missing = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
  throw new Refusal(`${name} needs options (${missing})`, `write - ${name}: { … }`);
}
