import type { Violation } from "./violation.ts";

export interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

/**
 * Rule: the lock file has an entry for each optional package, those for other platforms too. npm
 * silently leaves out what its registry did not have when the lock was written, and `npm ci` then
 * refuses the whole file, on every machine.
 */
export function checkLockFile({ packages }: LockFile): Violation[] {
  return Object.entries(packages).flatMap(([folder, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !(`node_modules/${name}` in packages))
      .map(([name, version]) => ({
        path: "package-lock.json",
        message: `no entry for ${name} ${version}, which ${folder || "package.json"} names, so \
npm ci fails: take versions that the registry has for all platforms`,
      })),
  );
}
