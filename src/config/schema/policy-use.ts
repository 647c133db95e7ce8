import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { suggestion } from "../../policy/values/did-you-mean.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";

/** What the configuration has to know of a policy. */
export interface PolicySchema {
  /** Schema of its options. */
  readonly schema: z.ZodType;
  /** One sentence for editors. */
  readonly summary: string;
}

/** The policies there are, by name. */
export type PolicySchemas = Readonly<Record<string, PolicySchema>>;

/** One policy as it stands in a list; `options` is what the policy's own schema puts out. */
export interface PolicyUse {
  name: string;
  options: unknown;
}

/** What users write: the name alone, or a map of one key, the name, to the options. */
export type PolicyUseInput = string | Record<string, unknown>;

/** Schema of a list of policies, in the order they run. */
export function policyList(policies: PolicySchemas): z.ZodType<PolicyUse[], PolicyUseInput[]> {
  const names = Object.keys(policies);
  const bare = parsedText((name) => bareUse(name, policies), {
    what: "a policy",
    hint: "write its name, or a map of its name to its options",
    ...(names.length === 0 ? {} : { choices: names }),
  });
  const shape = Object.fromEntries(
    Object.entries(policies).map(([name, { schema, summary }]) => {
      // A default of the whole would otherwise use every policy that has one.
      return [name, z.nonoptional(schema).optional().describe(summary)] as const;
    }),
  );
  const configured = section(shape, { what: "a policy", unknown: unknownPolicy }).transform(
    (value, context): PolicyUse => {
      const [name, ...others] = Object.keys(value);
      if (name !== undefined && others.length === 0) return { name, options: value[name] };
      const message =
        name === undefined ? "names no policy" : `${others.length + 1} policies in one entry`;
      const params = { hint: "one policy for each entry of the list" };
      context.issues.push({ code: "custom", message, params, input: value });
      return z.NEVER;
    },
  );
  const use = z.union([bare, configured], {
    error: expected("a policy", "write its name, or a map of its name to its options"),
  });
  return z.array(use, {
    error: expected("a list of policies", "begin each with a dash, in the order they run"),
  });
}

function unknownPolicy(name: string, known: readonly string[]): string {
  return `no policy named ${JSON.stringify(name)}; ${suggestion(name, known) ?? "see the reference"}`;
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
