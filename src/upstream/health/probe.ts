/** probe: one look at a target, whatever it is made of. */

import { checkResult } from "../../base/metrics/families.ts";

export interface ProbeOutcome {
  /** One of `checkResult`. */
  readonly result: number;
  /** For the log, without anything the target has chosen but numbers; "" where the check has passed. */
  readonly reason: string;
}

/**
 * Begins one check. `done` is called once and not before this returns, unless the returned function has been called,
 * which gives up and closes the connection. The time a check may take is for the caller to keep.
 */
export type Probe = (done: (outcome: ProbeOutcome) => void) => () => void;

/**
 * What ends a probe, and only the first time: it lets go of the connection, and tells the outcome; `null` where the
 * check has been given up.
 */
export function endOnce(
  release: () => void,
  done: (outcome: ProbeOutcome) => void,
): (outcome: ProbeOutcome | null) => void {
  let isOver = false;
  return (outcome) => {
    if (isOver) return;
    isOver = true;
    release();
    if (outcome !== null) done(outcome);
  };
}

export const PASSED: ProbeOutcome = { result: checkResult.passed, reason: "" };

export function failed(result: keyof typeof checkResult, reason: string): ProbeOutcome {
  return { result: checkResult[result], reason };
}
