/** What checks know of time; tests move their own. */
export interface HealthClock {
  /** Monotonic. */
  readonly nowMs: number;
  /** Runs once after so many milliseconds, unless the returned function is called. Does not keep the process. */
  after(delayMs: number, run: () => void): () => void;
}

export const processClock: HealthClock = {
  get nowMs() {
    return performance.now();
  },
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
