import { isbot } from "isbot";

/** Whether a user agent is no browser's that a person uses, as far as its text tells. */
export function looksAutomated(userAgent: string): boolean {
  return isbot(userAgent);
}
