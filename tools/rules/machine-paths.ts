import { homedir } from "node:os";
import type { RepositoryFile } from "./repository-files.ts";
import { repositoryRoot } from "./repository-files.ts";
import type { Violation } from "./violation.ts";

/** In pieces, so that this file does not report itself. */
const folders = ["/tm" + "p/", "/ro" + "ot/", "/home" + "/[a-z]", "/Users" + "/[A-Za-z]"];

/** Rule: nothing names a folder of one machine. */
export function checkMachinePaths(
  files: readonly RepositoryFile[],
  ownFolders: readonly string[] = [repositoryRoot, homedir()],
): Violation[] {
  // A folder right below `/` may well be a path of some API in an example.
  const deep = ownFolders.filter((folder) => /^\/[^/]+\/[^/]/.test(folder));
  const own = deep.map((folder) => RegExp.escape(folder.replace(/\/$/, "")));
  const pattern = new RegExp(`(?<![\\w.*/-])(${[...folders, ...own].join("|")})`);
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((content, index) => {
      const found = pattern.exec(content)?.[0];
      if (found === undefined) return [];
      const message = `"${found}" is a folder of one machine: use a relative path, import.meta.url \
or mkdtemp in os.tmpdir()`;
      return [{ path, line: index + 1, message }];
    }),
  );
}
