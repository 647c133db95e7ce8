import { BroadcastChannel } from "node:worker_threads";
import type { Measurement } from "../support/measure-thread.ts";

/** How a worker ends: an exception nobody catches, a promise nobody awaits, the end of its own choice. */
export type WayToDie = "throw" | "reject" | "exit";
export const waysToDie: readonly WayToDie[] = ["throw", "exit", "reject"];

/** What one thread holds after a collection. */
export interface ThreadMeasurement extends Measurement {
  /** "main", "worker 0", ... */
  thread: string;
  /** The highest slot of the shared counters that the configuration has; workers only. */
  slotMax: number;
  /** Sum of all shared counters; workers only. At rest that is the open connections of clients. */
  counted: number;
}

export type SoakMessage =
  | { type: "measure" }
  | { type: "kill"; worker: number; way: WayToDie }
  | ({ type: "measured" } & ThreadMeasurement);

interface SoakChannel {
  onmessage: ((event: { data: SoakMessage }) => void) | null;
  postMessage(message: SoakMessage): void;
}

/** Reaches every thread of the process but the one that posts; keeps none of them alive. */
export function openSoakChannel(): SoakChannel {
  const channel = new BroadcastChannel("gateward-soak");
  channel.unref();
  return channel as SoakChannel;
}
