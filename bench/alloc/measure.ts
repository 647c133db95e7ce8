import v8 from "node:v8";
import vm from "node:vm";

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc") as () => void;

/**
 * Bytes that `run` allocates, by what the heap has grown between two forced collections while nothing is
 * collected in between. Needs a young generation that holds it all: `--max-semi-space-size=128`.
 */
export function bytesPerRun(run: () => void, rounds = 20_000): number {
  for (let count = 0; count < rounds; count++) run();
  const growths: number[] = [];
  for (let repeat = 0; repeat < 5; repeat++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < rounds; count++) run();
    growths.push((process.memoryUsage().heapUsed - before) / rounds);
  }
  return growths.sort((a, b) => a - b)[2]!;
}
