import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A text file of the repository. */
export interface RepositoryFile {
  /** From the repository's folder, with `/`: `src/wire/limits.ts`. */
  readonly path: string;
  readonly text: string;
}

export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));

const textEndings = /\.(ts|mjs|js|json|md|yaml|yml|html|css)$|^\.ci\/run$|^bin\/gateward$/;
let files: readonly RepositoryFile[] | undefined;

/** All text files of the repository that Git tracks or would track; read once per process. */
export function repositoryFiles(): readonly RepositoryFile[] {
  files ??= paths()
    .filter((path) => textEndings.test(path) && existsSync(join(repositoryRoot, path)))
    .map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), "utf8") }));
  return files;
}

/** The files with code in TypeScript. */
export function sourceFiles(): readonly RepositoryFile[] {
  return repositoryFiles().filter((file) => file.path.endsWith(".ts"));
}

function paths(): string[] {
  try {
    const listed = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    const options = { cwd: repositoryRoot, encoding: "utf8", stdio: "pipe" } as const;
    return execFileSync("git", listed, options).split("\0").filter(Boolean);
  } catch {
    // Not a checkout, or no Git: everything that is not built or installed.
    const exclude = ["**/node_modules/**", "dist/**", "coverage/**", ".git/**", ".cache/**"];
    return globSync(["**/*", ".ci/run"], { cwd: repositoryRoot, exclude });
  }
}
