import { shown } from "./shown.ts";

/**
 * The error of a schema whose value is not even of the right kind: `expected a list, found 5; begin
 * each with a dash`. The part before the first `; ` is what is wrong, the rest what would be right.
 */
export function expected(what: string, hint?: string) {
  return ({ input }: { input?: unknown }): string => {
    const sentence = `expected ${what}, found ${shown(input)}`;
    return hint === undefined ? sentence : `${sentence}; ${hint}`;
  };
}
