import type { OptionMistake } from "../../policy/policy.ts";
import { mistakeAt, warningAt, type Finding } from "../mistake.ts";
import { contentKey, policyUses, type ConfigWithPolicies } from "../policy-uses.ts";
import type { PolicySchemas } from "../schema/policy-use.ts";

/**
 * What policies say of what the files hold that they name. A file that could not be read, or prepared, is told
 * of elsewhere.
 *
 * @param contents as workers are given them
 */
export function checkPolicyFiles(
  config: ConfigWithPolicies,
  policies: PolicySchemas,
  contents: Readonly<Record<string, string>>,
): Finding[] {
  const findings: Finding[] = [];
  for (const { name, options, path } of policyUses(config)) {
    const policy = policies[name];
    if (policy?.checkFiles === undefined) continue;
    const keyOf = (file: string): string => contentKey(policy, file);
    const named = policy.files?.(options) ?? [];
    if (named.some((file) => !Object.hasOwn(contents, keyOf(file)))) continue;
    let mistakes: readonly OptionMistake[];
    try {
      mistakes = policy.checkFiles(options, (file) => contents[keyOf(file)]!);
    } catch (error) {
      mistakes = [
        { message: `the files of ${name} cannot be checked: ${(error as Error).message}` },
      ];
    }
    for (const { path: at = [], message, hint, isWarning } of mistakes) {
      const make = isWarning === true ? warningAt : mistakeAt;
      findings.push(make([...path, ...at], message, hint));
    }
  }
  return findings;
}
