/** gateway-config: the type of a document in TypeScript, with the options of every policy. */
import type { z } from "zod";
import type { AllPolicies } from "../policies/index.ts";
import type { ConfigInput } from "./config.ts";
import type { applies } from "./schema/applies.ts";

/**
 * Options of a policy as they are written, for one of your own in a document:
 * `{ "./geo.ts": { allow: ["de"] } satisfies PolicyOptions<typeof geo> }`.
 */
export type PolicyOptions<Policy extends { schema: z.ZodType }> = z.input<Policy["schema"]>;

interface Conditions {
  when?: z.input<typeof applies>;
  unless?: z.input<typeof applies>;
}

type KnownUse = {
  [Name in keyof AllPolicies]: Conditions & Record<Name, PolicyOptions<AllPolicies[Name]> | null>;
}[keyof AllPolicies];

/** A file, or a package that says by its name what it is. */
type OwnName =
  | `./${string}`
  | `../${string}`
  | `/${string}`
  | `@${string}/${string}`
  | `gateward-${string}`;

type OwnUse = Conditions &
  Readonly<Partial<Record<OwnName, unknown>>> &
  Partial<Record<keyof AllPolicies | "any-of" | "all-of", never>>;

type CombinedUse = Conditions & ({ "any-of": DocumentUse[] } | { "all-of": DocumentUse[] });

/** An entry of a list of policies. */
export type DocumentUse =
  | keyof AllPolicies
  | "anonymous"
  | OwnName
  | KnownUse
  | OwnUse
  | CombinedUse;

/** With typed lists in place of those that take any name. */
type WithUses<Part> = Part extends { policies?: unknown }
  ? Omit<Part, "policies"> & { policies?: DocumentUse[] }
  : Part;

type Elements<Value> = Value extends readonly (infer Element)[]
  ? WithUses<Element>[]
  : Value extends Record<string, infer Element>
    ? Record<string, Element extends object ? WithUses<Element> : Element>
    : Value;

type ListKey = "services" | "routes" | "plans" | "consumers";

/** The document of a gateway. */
export type GatewayConfig = Omit<ConfigInput, "policies" | ListKey> & {
  policies?: DocumentUse[];
} & { [Key in ListKey]?: Elements<NonNullable<ConfigInput[Key]>> };
