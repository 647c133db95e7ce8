import { join, resolve } from "node:path";
import type { Config } from "../config/config.ts";
import { Refusal } from "../policy/values/refusal.ts";
import { KeyBook } from "../stores/sqlite/key-book.ts";
import { KEY_FILE } from "../stores/sqlite/key-file.ts";
import { EXIT_FAILURE, EXIT_MISTAKE } from "./exit-code.ts";
import { findForCommand, loadForCommand, mistakeLines } from "./load-for-command.ts";

/** Where the keys are: in the data folder of a document, or in a folder that is named. */
export interface KeyPlace {
  config: string | undefined;
  data: string | undefined;
  /** The working folder. */
  folder: string;
}

/** The key file, and what the document says of who is in it. */
export interface KeyDesk {
  readonly book: KeyBook;
  /** Undefined where the folder was named and no document read. */
  readonly document: Pick<Config, "consumers" | "plans"> | undefined;
}

/**
 * Runs `work` on the key file. A `Refusal` that it throws is a mistake in the command line.
 *
 * @returns the exit code, after everything that went wrong has been said on standard error
 */
export async function withKeyBook(
  place: KeyPlace,
  work: (desk: KeyDesk) => number,
): Promise<number> {
  const found = await findData(place);
  if (found === undefined) return EXIT_MISTAKE;
  try {
    using book = new KeyBook(join(found.data, KEY_FILE));
    return work({ book, document: found.document });
  } catch (error) {
    const { message } = error as Error;
    if (!(error instanceof Refusal)) {
      console.error(`gateward: the keys in ${found.data} cannot be used: ${message}`);
      return EXIT_FAILURE;
    }
    console.error(`gateward: ${message}${error.hint === undefined ? "" : `; ${error.hint}`}`);
    return EXIT_MISTAKE;
  }
}

async function findData({ config: given, data, folder }: KeyPlace) {
  if (data !== undefined) return { data: resolve(folder, data), document: undefined };
  const file = await findForCommand(folder, given);
  if (file === undefined) return undefined;
  const { loaded, mistakes } = await loadForCommand(file, folder);
  if (loaded !== undefined) return { data: loaded.config.data, document: loaded.config };
  console.error(mistakeLines(mistakes, file, folder).join("\n"));
  console.error("gateward: `--data FOLDER` names the folder of the keys without the document");
  return undefined;
}
