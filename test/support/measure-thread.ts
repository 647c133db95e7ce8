import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

export interface Measurement {
  heapBytes: number;
  /** Outside of the heap: buffers and what native objects hold. */
  externalBytes: number;
  /** What would keep the thread's event loop alive: sockets, timers, files. */
  resources: number;
}

/** What this thread holds, after a collection. */
export function measureThread(): Measurement {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // What finalizers let go of is collected by the second.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    resources: process.getActiveResourcesInfo().length,
  };
}
