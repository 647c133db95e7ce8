import { after } from "node:test";

/** What cleans up at a test's end: the test's context, or `fileCleanup()` for what a file shares. */
export interface Cleanup {
  after(clean: () => void | Promise<void>): void;
}

/**
 * To be called at the top of a file, for what its `before` hook starts: the `after` of node:test,
 * called within a hook, belongs to the hook and runs as soon as that is over.
 */
export function fileCleanup(): Cleanup {
  const steps: (() => void | Promise<void>)[] = [];
  after(async () => {
    for (const step of steps.toReversed()) await step();
  });
  return { after: (step) => void steps.push(step) };
}
