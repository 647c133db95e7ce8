import { access } from "node:fs/promises";
import { resolve } from "node:path";

/** The names looked for in the working folder, in this order. */
export const CONFIG_NAMES = ["gateward.yaml", "gateward.yml", "gateward.json", "gateward.ts"];

/** The absolute path of the document: the one given, or the first found in `folder`, or undefined. */
export async function findConfig(
  folder: string,
  given: string | undefined,
): Promise<string | undefined> {
  if (given !== undefined) return resolve(folder, given);
  for (const name of CONFIG_NAMES) {
    const file = resolve(folder, name);
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  return undefined;
}
