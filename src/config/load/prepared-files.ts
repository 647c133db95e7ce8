import type { Materials } from "./materials.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { mistakeAt, type Finding } from "../mistake.ts";
import { contentKey, policyFiles, type ConfigWithPolicies } from "../policy-uses.ts";
import type { PolicySchemas } from "../schema/policy-use.ts";

/** What was read, and what workers are given of it. */
export interface PreparedFiles {
  materials: Materials;
  prepared: Materials;
}

/**
 * What workers, and `checkFiles`, are given of all that was read: files as their policies prepare them, each
 * once, in place of their text. What `before` made of the same text is taken again.
 */
export function prepareFiles(
  config: ConfigWithPolicies,
  policies: PolicySchemas,
  materials: Materials,
  before?: Readonly<PreparedFiles>,
): { prepared: Materials; findings: Finding[] } {
  const prepared: Materials = {};
  const findings: Finding[] = [];
  const replaced = new Set<string>();
  const asRead = new Set<string>();
  const tried = new Set<string>();
  for (const { policy, file, path } of policyFiles(config, policies)) {
    const { prepareFile } = policies[policy]!;
    const key = contentKey(policies[policy]!, file);
    if (prepareFile === undefined) asRead.add(file);
    if (prepareFile === undefined || tried.has(key) || !Object.hasOwn(materials, file)) continue;
    tried.add(key);
    replaced.add(file);
    const content = materials[file]!;
    if (before?.materials[file] === content && Object.hasOwn(before.prepared, key)) {
      prepared[key] = before.prepared[key]!;
      continue;
    }
    try {
      prepared[key] = prepareFile(content, file);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      findings.push(mistakeAt(path, error.message, error.hint));
    }
  }
  for (const [file, content] of Object.entries(materials)) {
    if (!replaced.has(file) || asRead.has(file)) prepared[file] = content;
  }
  return { prepared, findings };
}
