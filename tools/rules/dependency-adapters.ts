import { dependencyAdapters } from "./allowed-imports.ts";
import { importsOf, packageOf } from "./imports-of.ts";
import { isTest } from "./layer-imports.ts";
import type { RepositoryFile } from "./repository-files.ts";
import type { Violation } from "./violation.ts";

/**
 * Rule: a package is imported by the one file of src that dependencyAdapters names, and what is
 * imported is a dependency of package.json; Node's own modules are written `node:net`.
 */
export function checkDependencyAdapters(
  files: readonly RepositoryFile[],
  dependencies: readonly string[],
  adapters: Readonly<Record<string, string>> = dependencyAdapters,
): Violation[] {
  const violations: Violation[] = [];
  const used = new Set<string>();
  for (const file of files) {
    if (!file.path.startsWith("src/") || isTest(file.path)) continue;
    for (const { line, specifier } of importsOf(file)) {
      const name = packageOf(specifier);
      if (name === undefined) continue;
      used.add(name);
      const message = objection(file.path, name, dependencies, adapters);
      if (message !== undefined) violations.push({ path: file.path, line, message });
    }
  }
  for (const name of dependencies.filter((one) => !used.has(one))) {
    const message = `nothing in src imports the dependency ${name}; remove it`;
    violations.push({ path: "package.json", message });
  }
  return violations;
}

function objection(
  path: string,
  name: string,
  dependencies: readonly string[],
  adapters: Readonly<Record<string, string>>,
): string | undefined {
  if (!dependencies.includes(name)) {
    return `"${name}" is not in the dependencies of package.json (Node's own: "node:${name}")`;
  }
  const adapter = adapters[name];
  if (adapter === undefined) {
    return `name the one file that imports ${name} in tools/rules/allowed-imports.ts`;
  }
  if (adapter === "everywhere" || adapter === path) return undefined;
  return `${name} is imported by ${adapter} only; import that file, and add there what it lacks`;
}
