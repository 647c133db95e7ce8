import type { Attempt } from "../../src/upstream/guard.ts";

/** A try that no guard has been asked for. */
export function newAttempt(): Attempt {
  return { breakerTicket: 0, fillsLimit: false };
}
