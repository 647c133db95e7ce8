import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where servers live; a user's PATH often leaves these out. */
const serverFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The full path of a command such as `nginx`, or undefined where it is not installed. */
export function commandPath(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...serverFolders];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
