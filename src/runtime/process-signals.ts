import { constants } from "node:os";

export interface SignalActions {
  /** SIGTERM or SIGINT, for the `count`th time; `exitCode` is what shells make of the signal. */
  terminate: (signal: NodeJS.Signals, count: number, exitCode: number) => void;
  /** SIGHUP. */
  reload: () => void;
  /** SIGUSR2; SIGUSR1 starts Node's inspector. */
  reopenLogs: () => void;
}

/**
 * Behind a launcher of an older Node, a signal to the whole group comes twice: from its sender and from
 * the launcher. The two are one.
 */
const SAME_SIGNAL_MS = 500;
const isPassedOn = process.env.GATEWARD_HANDED_OVER !== undefined;

/** Listens for signals until disposed. Those that the platform does not have are left out. */
export function onSignals({ terminate, reload, reopenLogs }: SignalActions): Disposable {
  let count = 0;
  let lastAtMs = 0;
  const stop = (signal: NodeJS.Signals): void => {
    const atMs = performance.now();
    if (isPassedOn && count > 0 && atMs - lastAtMs < SAME_SIGNAL_MS) return;
    lastAtMs = atMs;
    count += 1;
    terminate(signal, count, 128 + (constants.signals[signal] ?? 0));
  };
  const listeners: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ["SIGTERM", stop],
    ["SIGINT", stop],
    ["SIGHUP", reload],
    ["SIGUSR2", reopenLogs],
  ];
  const added = listeners.filter(([signal, listener]) => add(signal, listener));
  return {
    [Symbol.dispose]: () => {
      for (const [signal, listener] of added) process.off(signal, listener);
    },
  };
}

function add(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): boolean {
  try {
    process.on(signal, listener);
    return true;
  } catch {
    return false;
  }
}
