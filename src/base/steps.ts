/**
 * Work in steps: a generator that yields wherever it may be interrupted, some hundred microseconds apart,
 * and returns its result. Run at once where nobody waits, or in slices where an event loop has others to serve.
 */
export type Steps<Result> = Generator<void, Result, void>;

/** How long one slice may take. A slice ends with the step during which that is over. */
const SLICE_MS = 4;

/** Does all of it now. */
export function finishSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Does it a slice at a time. Between two slices the event loop turns once, so whatever is ready by then is
 * served first. Rejects with what a step throws.
 * @param now milliseconds, of any beginning.
 */
export async function runInSlices<Result>(
  steps: Steps<Result>,
  now: () => number = () => performance.now(),
): Promise<Result> {
  for (;;) {
    const untilMs = now() + SLICE_MS;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (now() < untilMs);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
