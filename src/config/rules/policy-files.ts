import type { OptionMistake } from "../../policy/policy.ts";
import { mistakeAt, warningAt, type Finding } from "../mistake.ts";
import { policyUses, type ConfigWithPolicies } from "../policy-uses.ts";
import type { PolicySchemas } from "../schema/policy-use.ts";

/** What policies say of what the files hold that they name. A file that could not be read is told of elsewhere. */
export function checkPolicyFiles(
  config: ConfigWithPolicies,
  policies: PolicySchemas,
  contents: Readonly<Record<string, string>>,
): Finding[] {
  const findings: Finding[] = [];
  for (const { name, options, path } of policyUses(config)) {
    const { files, checkFiles } = policies[name] ?? {};
    if (checkFiles === undefined) continue;
    const named = files?.(options) ?? [];
    if (named.some((file) => !Object.hasOwn(contents, file))) continue;
    let mistakes: readonly OptionMistake[];
    try {
      mistakes = checkFiles(options, (file) => contents[file]!);
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
