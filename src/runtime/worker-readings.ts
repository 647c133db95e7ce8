import { totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";
import type { OverloadReadings } from "../proxy/overload.ts";

const INTERVAL_MS = 50;
/** What a reading adds to the running mean: about the last third of a second counts, one pause hardly does. */
const WEIGHT = 0.25;

/** What this worker thread sees of itself. Keeps one timer, which does not keep the process alive. */
export function readWorker(): OverloadReadings {
  const bytesMax = memoryBytesMax();
  let meanMs = 0;
  let dueMs = performance.now() + INTERVAL_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    meanMs += (Math.max(0, nowMs - dueMs) - meanMs) * WEIGHT;
    dueMs = nowMs + INTERVAL_MS;
  }, INTERVAL_MS).unref();
  return {
    eventLoopMs: () => meanMs,
    memoryShare: () => Math.max(residentBytes() / bytesMax, heapShare()),
    stop: () => clearInterval(timer),
  };
}

/** What the container allows (cgroups), else what the machine has. */
function memoryBytesMax(): number {
  const machine = totalmem();
  const allowed = process.constrainedMemory();
  return allowed > 0 && allowed < machine ? allowed : machine;
}

/** Of the whole process; 0 where it cannot be read, as without a descriptor left. */
function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return 0;
  }
}

function heapShare(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used / limit;
}
