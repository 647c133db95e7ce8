declare const gc: () => void;

/**
 * Bytes that `run` allocates, by what the heap has grown between two looks while nothing is collected in
 * between: the rounds are few enough for the young generation of any start. Needs `--expose-gc`.
 */
export function bytesPerRun(run: () => void, rounds = 500): number {
  // Compiled first: a function that is still interpreted allocates more.
  for (let count = 0; count < 50_000; count++) run();
  const growths: number[] = [];
  for (let repeat = 0; repeat < 15; repeat++) {
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < rounds; count++) run();
    growths.push((process.memoryUsage().heapUsed - before) / rounds);
  }
  return growths.sort((a, b) => a - b)[7]!;
}
