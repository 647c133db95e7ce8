import { EXIT_MISTAKE, EXIT_OK } from "./exit-code.ts";
import { findForCommand, loadForCommand, mistakeLines } from "./load-for-command.ts";

export interface RoutesOptions {
  config: string | undefined;
  /** The working folder. */
  folder: string;
}

/** `gateward routes`: the table, in the order in which routes are tried. */
export async function routes({ config, folder }: RoutesOptions): Promise<number> {
  const file = await findForCommand(folder, config);
  if (file === undefined) return EXIT_MISTAKE;
  const { loaded, mistakes } = await loadForCommand(file, folder);
  if (loaded === undefined) {
    console.error(mistakeLines(mistakes, file, folder).join("\n"));
    return EXIT_MISTAKE;
  }
  return EXIT_OK;
}
