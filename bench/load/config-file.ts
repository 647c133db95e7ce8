import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Replaces a file in one step: whoever watches it never reads half a configuration. */
export function writeConfigFile(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}
