import { join, resolve } from "node:path";
import { KeyBook } from "../stores/sqlite/key-book.ts";
import { KEY_FILE } from "../stores/sqlite/key-file.ts";
import { EXIT_FAILURE, EXIT_MISTAKE } from "./exit-code.ts";
import { readKeyDocument, type KeyDocument } from "./key-document.ts";
import { findForCommand } from "./load-for-command.ts";
import { withRefusals } from "./with-refusals.ts";

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
  readonly document: KeyDocument | undefined;
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
  try {
    return await withRefusals(async () => {
      const found = await findData(place);
      if (found === undefined) return EXIT_MISTAKE;
      using book = new KeyBook(join(found.data, KEY_FILE));
      return work({ book, document: found.document });
    });
  } catch (error) {
    console.error(`gateward: the keys cannot be used: ${(error as Error).message}`);
    return EXIT_FAILURE;
  }
}

async function findData({ config, data, folder }: KeyPlace) {
  if (data !== undefined) return { data: resolve(folder, data), document: undefined };
  const file = await findForCommand(folder, config);
  if (file === undefined) return undefined;
  const document = await readKeyDocument(file);
  return { data: document.data, document };
}
