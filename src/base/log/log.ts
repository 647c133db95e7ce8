/** Severities of the gateway's own log, mildest first; `silent` as a threshold switches it off. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export type LogLevel = (typeof logLevels)[number];

/** Plain data that says more than the message: names, numbers, an `error`. */
export type LogFields = Record<string, unknown>;

/** What the gateway has to say about itself. Messages are short and fixed; what varies goes into the fields. */
export interface Log {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Something after which the process or the worker ends. */
  fatal(message: string, fields?: LogFields): void;
  /** A log whose entries all carry these fields. */
  child(fields: LogFields): Log;
}

/** Takes one entry; which levels get there is decided before. */
export type WriteEntry = (
  level: Exclude<LogLevel, "silent">,
  message: string,
  fields: LogFields,
) => void;

/** A log over any way of writing entries. */
export function logTo(write: WriteEntry, bound: LogFields = {}): Log {
  const at =
    (level: Exclude<LogLevel, "silent">) =>
    (message: string, fields?: LogFields): void =>
      write(level, message, { ...bound, ...fields });
  return {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    child: (fields) => logTo(write, { ...bound, ...fields }),
  };
}

/** A log that nobody reads. */
export const silentLog: Log = logTo(() => {});
