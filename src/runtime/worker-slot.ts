import type { WorkerThread } from "./worker-thread.ts";

/**
 * `starting`: the thread loads. `idle`: it has no revision yet. `serving`: it has one. `resting`: it has
 * ended, and the next one is to be started. `stopped`: for good.
 */
export type WorkerState = "starting" | "idle" | "serving" | "resting" | "stopped";

export interface RestTimes {
  stableMs: number;
  restartDelayMs: number;
  restartDelayMsMax: number;
}

/** The place of one worker, which successive threads fill. */
export class WorkerSlot {
  readonly index: number;
  state: WorkerState = "starting";
  thread: WorkerThread | undefined;
  restarts = 0;
  /** Monotonic, when the present thread was started. */
  startedAtMs = 0;
  timer: NodeJS.Timeout | undefined;
  /** Deaths in a row, each soon after the start. */
  private earlyDeaths = 0;
  private beats = 0;
  private missedBeats = 0;

  constructor(index: number) {
    this.index = index;
  }

  begin(thread: WorkerThread, nowMs: number): void {
    this.thread = thread;
    this.state = "starting";
    this.startedAtMs = nowMs;
    this.beats = 0;
    this.missedBeats = 0;
  }

  /** The thread that can be given a revision. */
  get available(): WorkerThread | undefined {
    return this.state === "idle" || this.state === "serving" ? this.thread : undefined;
  }

  /** Notes the thread's end. Returns how long to wait for the next one: not at all after a long life. */
  end(nowMs: number, times: RestTimes): number {
    const livedMs = nowMs - this.startedAtMs;
    this.thread = undefined;
    this.state = "resting";
    this.earlyDeaths = livedMs < times.stableMs ? this.earlyDeaths + 1 : 0;
    if (this.earlyDeaths === 0) return 0;
    return Math.min(times.restartDelayMs * 2 ** (this.earlyDeaths - 1), times.restartDelayMsMax);
  }

  /** To be called at regular times; returns how often in a row the heart has not moved. */
  countMissedBeats(beats: number): number {
    this.missedBeats = beats === this.beats ? this.missedBeats + 1 : 0;
    this.beats = beats;
    return this.missedBeats;
  }
}
