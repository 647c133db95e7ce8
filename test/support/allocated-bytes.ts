import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const ROUNDS = 5;
const CALLS = 100_000;

/**
 * Bytes that one call of `step` allocates on the heap, at best of several rounds: what remains when
 * the compiler is done. Rounds are short enough that no collection falls into the count.
 */
export function allocatedBytes(step: (turn: number) => void): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < CALLS; turn++) step(turn);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let turn = 0; turn < CALLS; turn++) step(turn);
    const bytes = (process.memoryUsage().heapUsed - before) / CALLS;
    // A collection in between would show as a negative figure.
    if (bytes >= 0 && bytes < least) least = bytes;
  }
  return least;
}
