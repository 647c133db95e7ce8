/** keep-compiled-code: what V8 made of the sources is kept for the next start, of which a third is compiling. */
import { mkdirSync, realpathSync, statSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { env, geteuid, platform } from "node:process";

const WRITABLE_BY_OTHERS = 0o022;
const ROOT = 0;

/**
 * Node runs what it finds there unseen, so nobody else may be able to put it there: Node's own choice, a folder of the
 * temporary one, would belong to whoever made it first. Without such a folder nothing is kept. `NODE_COMPILE_CACHE`
 * names another one; workers read it too.
 */
export function keepCompiledCode(): void {
  if (env["NODE_COMPILE_CACHE"] !== undefined) return;
  const folder = makePrivateFolder(
    join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "gateward"),
  );
  if (folder === undefined) return;
  const { directory } = enableCompileCache(folder);
  if (directory !== undefined) env["NODE_COMPILE_CACHE"] = folder;
}

/** The folder's real path; undefined where it cannot be made, or anybody else could replace what is in it. */
export function makePrivateFolder(path: string): string | undefined {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const folder = realpathSync(path);
    return isPrivate(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** Who can write to a folder above can put another in its place. A home on Windows is its user's. */
function isPrivate(folder: string): boolean {
  if (platform === "win32") return true;
  const { uid, mode } = statSync(folder);
  const isOwn = uid === geteuid!() || uid === ROOT;
  if (!isOwn || (mode & WRITABLE_BY_OTHERS) !== 0) return false;
  const above = dirname(folder);
  return above === folder || isPrivate(above);
}
