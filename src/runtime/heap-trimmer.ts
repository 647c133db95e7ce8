import { Session } from "node:inspector/promises";
import { getHeapStatistics } from "node:v8";

export interface HeapTrimmerSettings {
  /** Runs when the thread has nothing to do soon: after the last of several reloads. */
  delayMs: number;
  /** A heap smaller than this is left alone. */
  heapBytesMin: number;
  collect: () => Promise<void>;
  heapBytes: () => number;
}

const settingsDefault: HeapTrimmerSettings = {
  delayMs: 2000,
  // Twice what the main thread needs for a small configuration.
  heapBytesMin: 64 * 2 ** 20,
  collect: collectGarbage,
  // process.memoryUsage() needs a descriptor, and throws when there is none left.
  heapBytes: () => getHeapStatistics().total_heap_size,
};

/**
 * Gives memory back that reading a configuration took: 150 MB for ten thousand routes, which V8 would keep
 * until there is need for it. Meant for the main thread alone: it stands still for 50 to 100 ms.
 */
export class HeapTrimmer {
  private readonly settings: HeapTrimmerSettings;
  private timer: NodeJS.Timeout | undefined;

  constructor(settings: Partial<HeapTrimmerSettings> = {}) {
    this.settings = { ...settingsDefault, ...settings };
  }

  /** Trims soon; a further call puts it off. */
  schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.trim(), this.settings.delayMs).unref();
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private trim(): void {
    const { heapBytes, heapBytesMin, collect } = this.settings;
    if (heapBytes() > heapBytesMin) void collect();
  }
}

/** What V8 does when memory is low, which is more than a collection: empty pages go back to the system. */
export async function collectGarbage(): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.collectGarbage");
  session.disconnect();
}
