import { CONFIG_NAMES, findConfig } from "../config/load/find-config.ts";
import { loadConfig, shownFile, type LoadResult } from "../config/load-config.ts";
import { formatMistake, type Mistake } from "../config/mistake.ts";

/** The document a command works on, or undefined after saying on standard error that there is none. */
export async function findForCommand(
  folder: string,
  given: string | undefined,
): Promise<string | undefined> {
  const file = await findConfig(folder, given);
  if (file === undefined) {
    const [last, ...others] = CONFIG_NAMES.toReversed();
    const names = `${others.toReversed().join(", ")} or ${last}`;
    console.error(`gateward: no configuration here: looked for ${names} in ${folder}`);
    console.error("gateward: `gateward init` writes one, `--config FILE` names another");
  }
  return file;
}

/** Reads and checks a document with the policies there are. */
export async function loadForCommand(file: string, folder: string): Promise<LoadResult> {
  return loadConfig({ file, folder });
}

/** A line for each mistake, and one that counts them. */
export function mistakeLines(mistakes: readonly Mistake[], file: string, folder: string): string[] {
  const errors = mistakes.filter(({ level }) => level === "error").length;
  const parts = [counted(errors, "mistake"), counted(mistakes.length - errors, "warning")];
  const summary = parts.filter((part) => part !== "").join(", ");
  return [...mistakes.map(formatMistake), `${shownFile(file, folder)}: ${summary}`];
}

function counted(count: number, noun: string): string {
  if (count === 0) return "";
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
