import { isatty } from "node:tty";
import { type LevelWithSilent, pino } from "pino";
import { type Log, type LogFields, type LogLevel, logTo, type WriteEntry } from "./log.ts";
import { plainError } from "./plain-error.ts";
import { prettyLine } from "./pretty-line.ts";

export interface LogSettings {
  level: Exclude<LogLevel, "fatal">;
  /** `auto` is pretty when the log goes to a terminal. */
  format: "auto" | "pretty" | "json";
}

export interface LogDestination {
  /** A descriptor, or the path of a file to append to. */
  to: number | string;
  isTerminal: boolean;
  colors: boolean;
}

export interface ProcessLog extends Log {
  readonly level: LogLevel;
  /** Changes level and format from the next entry on. */
  configure(settings: LogSettings): void;
  /** Writes an entry that another thread has made. */
  write: WriteEntry;
}

/**
 * Standard error: what the gateway says of itself stays apart from the access log on standard output, so
 * that either can be piped to a program of its own.
 */
export function standardError(): LogDestination {
  const isTerminal = isatty(2);
  return { to: 2, isTerminal, colors: isTerminal && process.stderr.hasColors() };
}

/**
 * The process's own log: the only place that knows pino. Entries are written before the call returns, so
 * that none is lost when the process ends; the main thread serves no traffic and may wait.
 */
export function createLog(settings: LogSettings, destination = standardError()): ProcessLog {
  const stream = pino.destination({ dest: destination.to, sync: true, mkdir: false });
  // Nobody reads standard error any more: not a reason to stop serving.
  stream.on("error", () => {});
  let isPretty = false;
  const { colors } = destination;
  const logger = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: plainError },
    },
    { write: (line: string) => stream.write(isPretty ? prettyLine(line, { colors }) : line) },
  );
  const write: WriteEntry = (level, message, fields: LogFields) => logger[level](fields, message);
  const log: ProcessLog = {
    ...logTo(write),
    write,
    get level() {
      return logger.level as LogLevel;
    },
    configure({ level, format }) {
      logger.level = level satisfies LevelWithSilent;
      isPretty = format === "pretty" || (format === "auto" && destination.isTerminal);
    },
  };
  log.configure(settings);
  return log;
}
