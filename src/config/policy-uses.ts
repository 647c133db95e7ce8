import type { PolicyPlace } from "../policy/environment.ts";
import type { PolicyDefinition } from "../policy/policy.ts";
import { useIds } from "./compile-policies.ts";
import type { Config, PolicyUse } from "./config.ts";
import { ANONYMOUS } from "./schema/policy-use.ts";
import type { DocumentPath } from "./mistake.ts";

/** One policy in one place, combinations taken apart. */
export interface PlacedUse {
  readonly name: string;
  readonly options: unknown;
  readonly place: PolicyPlace;
  /** As the policy's environment has it. */
  readonly id: string;
  /** Of its options in the normalised configuration. */
  readonly path: DocumentPath;
  /** The entry of the list that it is, or that combines it with others. */
  readonly entry: PolicyUse;
}

/** A list of policies, with its place and where it is written. */
export interface PolicyUseList {
  readonly place: PolicyPlace;
  readonly uses: readonly PolicyUse[];
  readonly path: DocumentPath;
}

/** Where policies stand in a configuration; routes are left out where they go another way. */
export type ConfigWithPolicies = Omit<Config, "routes"> & Partial<Pick<Config, "routes">>;

/** Every list of policies, with its place and where it is written. */
export function* policyLists(config: ConfigWithPolicies): Generator<PolicyUseList> {
  yield { place: { kind: "gateway", name: "" }, uses: config.policies, path: ["policies"] };
  for (const [name, { policies }] of Object.entries(config.services)) {
    const path = ["services", name, "policies"];
    yield { place: { kind: "service", name }, uses: policies, path };
  }
  for (const [index, { name, policies }] of (config.routes ?? []).entries()) {
    if (policies.length === 0) continue;
    yield { place: { kind: "route", name }, uses: policies, path: ["routes", index, "policies"] };
  }
  for (const [name, { policies }] of Object.entries(config.plans)) {
    yield { place: { kind: "plan", name }, uses: policies, path: ["plans", name, "policies"] };
  }
  for (const [name, { policies }] of Object.entries(config.consumers)) {
    if (policies.length === 0) continue;
    const path = ["consumers", name, "policies"];
    yield { place: { kind: "consumer", name }, uses: policies, path };
  }
}

/** Every use of every policy, in the order in which ids are given out when they are compiled. */
export function* policyUses(config: ConfigWithPolicies): Generator<PlacedUse> {
  for (const list of policyLists(config)) yield* placedUses(list);
}

/** The uses of one list. */
export function* placedUses({ place, uses, path }: PolicyUseList): Generator<PlacedUse> {
  const idOf = useIds(place);
  const flatten = function* (
    use: PolicyUse,
    entry: PolicyUse,
    at: DocumentPath,
  ): Generator<PlacedUse> {
    const { name, options, of } = use;
    const here = [...at, name];
    if (of === undefined) {
      if (name !== ANONYMOUS) yield { name, options, place, id: idOf(name), path: here, entry };
      return;
    }
    for (const [index, member] of of.entries()) yield* flatten(member, entry, [...here, index]);
  };
  for (const [index, use] of uses.entries()) yield* flatten(use, use, [...path, index]);
}

/** How a place is called in metrics and messages: `gateway`, `service users`. */
export function placeLabel({ kind, name }: PolicyPlace): string {
  return name === "" ? kind : `${kind} ${name}`;
}

/** Where a policy finds a file's content: what it has prepared stands beside what others read. */
export function contentKey(
  { name = "", prepareFile }: Partial<Pick<PolicyDefinition, "name" | "prepareFile">>,
  file: string,
): string {
  return prepareFile === undefined ? file : `${name}: ${file}`;
}

/** A file that a policy names. */
export interface PolicyFile {
  /** The policy's name. */
  readonly policy: string;
  /** As it is written. */
  readonly file: string;
  /** Of the option that names it, as far as that can be told. */
  readonly path: DocumentPath;
}

/** The files that policies of the configuration name. */
export function policyFiles(
  config: ConfigWithPolicies,
  policies: Readonly<Record<string, Pick<PolicyDefinition, "files">>>,
): PolicyFile[] {
  const found: PolicyFile[] = [];
  for (const { name, options, path } of policyUses(config)) {
    for (const file of policies[name]?.files?.(options) ?? []) {
      found.push({ policy: name, file, path: [...path, ...(placeOfText(options, file) ?? [])] });
    }
  }
  return found;
}

/** Where in a value a text stands; undefined where it does not, since options are normalised. */
function placeOfText(value: unknown, text: string): DocumentPath | undefined {
  if (value === text) return [];
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, part] of Object.entries(value)) {
    const rest = placeOfText(part, text);
    if (rest !== undefined) return [Array.isArray(value) ? Number(key) : key, ...rest];
  }
  return undefined;
}
