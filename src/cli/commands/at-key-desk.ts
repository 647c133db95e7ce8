import type { Invocation } from "../command.ts";
import type { KeyDesk } from "../open-key-book.ts";
import { placeOf } from "./key-options.ts";

/**
 * Has `work` done at the desk of the store that an invocation names. What does it is loaded only now: commands
 * are listed by all of them.
 *
 * @returns the exit code
 */
export async function atKeyDesk<Works>(
  invocation: Invocation,
  loading: Promise<Works>,
  work: (works: Works, desk: KeyDesk) => number,
): Promise<number> {
  const [works, { withKeyBook }] = await Promise.all([loading, import("../open-key-book.ts")]);
  return withKeyBook(placeOf(invocation), (desk) => work(works, desk));
}
