import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** For tests: puts the running Node where npm puts the platform package's. Returns its path. */
export function placePinnedNode(root: string): string {
  const platform = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const folder = join(root, "node_modules", `node-${platform}`, "bin");
  mkdirSync(folder, { recursive: true });
  const node = join(folder, process.platform === "win32" ? "node.exe" : "node");
  symlinkSync(process.execPath, node);
  return node;
}
