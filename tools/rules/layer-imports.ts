import { allowedImports } from "./allowed-imports.ts";
import { importsOf } from "./imports-of.ts";
import type { Import } from "./imports-of.ts";
import type { RepositoryFile } from "./repository-files.ts";
import type { Violation } from "./violation.ts";

/**
 * Rule: a folder of src imports only the folders that allowed-imports.ts lists for it. Tests, and
 * files under test/, tools/, bench/ and examples/, may import anything; nothing may import them.
 */
export function checkLayerImports(
  files: readonly RepositoryFile[],
  allowed: Readonly<Record<string, readonly string[]>> = allowedImports,
): Violation[] {
  const product = files.filter(({ path }) => path.startsWith("src/") && !isTest(path));
  return product.flatMap((file) =>
    importsOf(file).flatMap((one) => {
      const message = objection(file.path, one, allowed);
      return message === undefined ? [] : [{ path: file.path, line: one.line, message }];
    }),
  );
}

export function isTest(path: string): boolean {
  return /\.test\.ts$|\.(alloc|bench)\.ts$/.test(path);
}

function objection(
  path: string,
  { target }: Import,
  allowed: Readonly<Record<string, readonly string[]>>,
): string | undefined {
  if (target === undefined) return undefined;
  if (isTest(target)) return `imports a test; move what is shared to a file of its own`;
  if (target.startsWith("..")) return `imports a file outside the repository`;
  if (!target.startsWith("src/")) {
    return target === "package.json" ? undefined : `src may not import ${target}; move it into src`;
  }
  const [from, to] = [folderOf(path), folderOf(target)];
  if (from === undefined) return undefined; // src/index.ts, the public face: imports anything.
  if (to === undefined)
    return `imports the public face ${target}; import the file that declares it`;
  if (from === to) return from === "policies" ? objectionToPolicy(path, target) : undefined;
  const list = allowed[from];
  if (list === undefined) return `tools/rules/allowed-imports.ts does not know src/${from}; add it`;
  if (list.includes(to)) return undefined;
  const may = list.length === 0 ? "nothing" : list.join(", ");
  return (
    `src/${from} may not import src/${to} (only ${may}): turn the arrow round, by declaring in ` +
    `src/${from} the interface it needs, or move the shared part to src/base`
  );
}

function objectionToPolicy(path: string, target: string): string | undefined {
  const [, , ownFolder] = path.split("/");
  const [, , otherFolder] = target.split("/");
  const isIndex = path.split("/").length === 3;
  if (isIndex || ownFolder === otherFolder) return undefined;
  return `a policy may not import another policy; move the shared part to src/policy`;
}

function folderOf(path: string): string | undefined {
  const [, folder, rest] = path.split("/");
  return rest === undefined ? undefined : folder;
}
