import type { RepositoryFile } from "./repository-files.ts";
import type { Violation } from "./violation.ts";

/** Words that say nothing about what is inside, so that anything may be put there. */
const vague = ["utils", "util", "helpers", "helper", "common", "misc", "shared", "types"];

/** `rate-limit.ts`, `rate-limit.test.ts`, `0001-title.md`. */
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
const ownFolders = /^(src|test|tools|bench|examples|bin|docs|ui)\//;

/** Rule: names of files and folders are kebab-case and say what is inside. */
export function checkFileNames(files: readonly RepositoryFile[]): Violation[] {
  return files.flatMap(({ path }) => {
    if (!ownFolders.test(path)) return [];
    const parts = path.split("/").filter((part) => part !== "README.md" && !part.startsWith("."));
    const odd = parts.find((part) => !kebabCase.test(part));
    if (odd !== undefined) return [{ path, message: `write "${odd}" in kebab-case` }];
    const empty = parts.find((part) => vague.includes(part.replace(/\..*/, "")));
    if (empty === undefined) return [];
    const message = `"${empty}" says nothing: name it after the one thing it exports, or put each \
part beside its only user`;
    return [{ path, message }];
  });
}
