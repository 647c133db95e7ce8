import { plainError } from "../base/log/plain-error.ts";
import { type Log, type LogFields, type LogLevel, logLevels, logTo } from "../base/log/log.ts";
import type { MessageFromWorker } from "./worker-message.ts";

/** Entries a worker may send in each second: the main thread must not drown when a service fails under load. */
const ENTRIES_PER_SECOND_MAX = 200;

export interface PortLog extends Log {
  setLevel(level: LogLevel): void;
}

/** The log of a worker: entries are sent to the main thread, which alone writes. */
export function createPortLog(
  post: (message: MessageFromWorker) => void,
  fields: LogFields,
  now: () => number = () => performance.now(),
): PortLog {
  let threshold: number = logLevels.indexOf("info");
  let secondEndsMs = -Infinity;
  let sent = 0;
  let suppressed = 0;

  const startSecond = (nowMs: number): void => {
    if (suppressed > 0) {
      const message = "log entries suppressed, too many in a second";
      post({ type: "log", level: "warn", message, fields: { ...fields, suppressed } });
    }
    secondEndsMs = nowMs + 1000;
    sent = 0;
    suppressed = 0;
  };

  const log = logTo((level, message, entry) => {
    if (logLevels.indexOf(level) < threshold) return;
    const nowMs = now();
    if (nowMs >= secondEndsMs) startSecond(nowMs);
    sent += 1;
    if (sent > ENTRIES_PER_SECOND_MAX) suppressed += 1;
    else post({ type: "log", level, message, fields: cloneable(entry) });
  }, fields);

  return {
    ...log,
    setLevel(level) {
      threshold = logLevels.indexOf(level);
    },
  };
}

/** Fields as they will be written, since not everything that can be logged can be cloned. */
function cloneable(fields: LogFields): LogFields {
  return JSON.parse(
    JSON.stringify(fields, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : plainError(value),
    ),
  ) as LogFields;
}
