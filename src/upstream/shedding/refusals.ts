/** refusals: faults made beforehand, so that refusing costs nothing; each asks for another wait. */
import { Fault } from "../../base/faults.ts";
import type { FaultType } from "../../base/faults.ts";

/** Clients that were refused together must not come back together. */
const RETRY_AFTER_SECONDS = [1, 2, 3, 4, 5];

/** One fault for each wait, to be chosen from by chance. */
export function refusalsOf(type: FaultType, detail = "", code = ""): readonly Fault[] {
  return RETRY_AFTER_SECONDS.map(
    (seconds) => new Fault(type, detail, code, { "retry-after": String(seconds) }),
  );
}
