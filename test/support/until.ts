/** Longer than anything takes that a test waits for, shorter than a test may take. */
const timeoutMs = 30_000;
const pauseMs = 2;

/**
 * Waits for what has no event of its own, such as that a peer has been sent something. To be used where
 * there is nothing better: a loop without an end would outlive its test.
 *
 * @throws Error when it does not come about.
 */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`in vain waited until ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
