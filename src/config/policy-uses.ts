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
}

/** Where policies stand in a configuration; routes are left out where they go another way. */
export type ConfigWithPolicies = Omit<Config, "routes"> & Partial<Pick<Config, "routes">>;

/** Every list of policies, with its place and where it is written. */
export function* policyLists(
  config: ConfigWithPolicies,
): Generator<{ place: PolicyPlace; uses: readonly PolicyUse[]; path: DocumentPath }> {
  yield { place: { kind: "gateway", name: "" }, uses: config.policies, path: ["policies"] };
  for (const [name, { policies }] of Object.entries(config.services)) {
    const path = ["services", name, "policies"];
    yield { place: { kind: "service", name }, uses: policies, path };
  }
  for (const [index, { name, policies }] of (config.routes ?? []).entries()) {
    if (policies.length === 0) continue;
    yield { place: { kind: "route", name }, uses: policies, path: ["routes", index, "policies"] };
  }
}

/** Every use of every policy, in the order in which ids are given out when they are compiled. */
export function* policyUses(config: ConfigWithPolicies): Generator<PlacedUse> {
  for (const list of policyLists(config)) yield* placedUses(list);
}

/** The uses of one list. */
export function* placedUses({
  place,
  uses,
  path,
}: {
  place: PolicyPlace;
  uses: readonly PolicyUse[];
  path: DocumentPath;
}): Generator<PlacedUse> {
  const idOf = useIds(place);
  const flatten = function* (list: readonly PolicyUse[], at: DocumentPath): Generator<PlacedUse> {
    for (const [index, { name, options, of }] of list.entries()) {
      const here = [...at, index, name];
      if (of !== undefined) yield* flatten(of, here);
      else if (name !== ANONYMOUS) yield { name, options, place, id: idOf(name), path: here };
    }
  };
  yield* flatten(uses, path);
}

/** How a place is called in metrics and messages: `gateway`, `service users`. */
export function placeLabel({ kind, name }: PolicyPlace): string {
  return name === "" ? kind : `${kind} ${name}`;
}

/** Paths of the files that policies of the configuration name, as they are written there. */
export function policyFiles(
  config: ConfigWithPolicies,
  policies: Readonly<Record<string, Pick<PolicyDefinition, "files">>>,
): { path: DocumentPath; file: string }[] {
  const files: { path: DocumentPath; file: string }[] = [];
  for (const { name, options, path } of policyUses(config)) {
    for (const file of policies[name]?.files?.(options as never) ?? []) files.push({ path, file });
  }
  return files;
}
