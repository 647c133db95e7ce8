import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join, relative } from "node:path";

/** The oldest Node that runs Gateward's TypeScript sources. bin/gateward repeats the number. */
export const nodeMajorMin = 24;

/**
 * The Node that comes along as a platform package, or undefined: there is none for this platform,
 * or nothing is installed yet. bin/gateward looks in the same places.
 *
 * @param {string} root the repository's folder
 * @returns {string | undefined} the path of the executable
 */
export function pinnedNode(root) {
  const isWindows = process.platform === "win32";
  const platform = `${isWindows ? "win" : process.platform}-${process.arch}`;
  return [`node-${platform}`, `node-bin-${platform}`]
    .map((name) => join(root, "node_modules", name, "bin", isWindows ? "node.exe" : "node"))
    .find((path) => existsSync(path));
}

/**
 * Makes the pinned Node the `node` of npm's scripts, which look into node_modules/.bin first. npm
 * does that itself, but up to version 10 takes it away again: the packages for other platforms,
 * which it does not install, claim the same name.
 *
 * @param {string} root
 */
export function linkPinnedNode(root) {
  const node = pinnedNode(root);
  const folder = join(root, "node_modules", ".bin");
  const link = join(folder, process.platform === "win32" ? "node.cmd" : "node");
  if (node === undefined || existsSync(link)) return;
  mkdirSync(folder, { recursive: true });
  const target = relative(folder, node);
  try {
    if (process.platform === "win32") writeFileSync(link, `@"%~dp0\\${target}" %*\r\n`);
    else symlinkSync(target, link);
  } catch (error) {
    // Another process that does the same was first.
    if (error.code !== "EEXIST") throw error;
  }
}

/**
 * Removes a pinned Node that cannot start: it is linked to glibc, so on Alpine it installs but does
 * not run, and would hide the machine's own Node.
 *
 * @param {string} root
 */
export function dropUnusableNode(root) {
  const node = pinnedNode(root);
  if (node === undefined || spawnSync(node, ["--version"]).status === 0) return;
  rmSync(node);
  rmSync(join(root, "node_modules", ".bin", "node"), { force: true });
}

/** @param {string} version such as `process.versions.node` */
export function isNewEnough(version) {
  return Number.parseInt(version, 10) >= nodeMajorMin;
}
