import { Refusal } from "../policy/values/refusal.ts";
import { EXIT_MISTAKE } from "./exit-code.ts";

/** A `Refusal` that `work` throws is a mistake in the command line, and said on standard error. */
export async function withRefusals(work: () => number | Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`gateward: ${error.message}${error.hint === undefined ? "" : `; ${error.hint}`}`);
    return EXIT_MISTAKE;
  }
}
