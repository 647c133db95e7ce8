import { parseAccessField } from "./access-fields.ts";
import { AccessLog } from "./access-log.ts";
import { LogOutput } from "./log-output.ts";
import { LogSink } from "./log-sink.ts";
import type { WriteTurns } from "./write-turns.ts";

/** About ten thousand lines: some seconds of a stuck disk, little against a worker's heap. */
const BACKLOG_BYTES_MAX = 4 * 1024 * 1024;

export interface AccessLogSettings {
  /** Absolute path of the file to append to; null is standard output. */
  file: string | null;
  fields: readonly string[];
}

export interface AccessLogSinksSettings {
  workerIndex: number;
  turns: WriteTurns;
  backlogBytesMax?: number;
}

/**
 * The outputs of one worker's access logs, by file. They outlive snapshots: an access log is compiled for
 * each snapshot and writes to the sink that the last one wrote to, unless the file is another.
 */
export class AccessLogSinks {
  private readonly settings: AccessLogSinksSettings;
  private readonly sinks = new Map<string | null, LogSink>();

  constructor(settings: AccessLogSinksSettings) {
    this.settings = settings;
  }

  /**
   * Makes an access log. Rejects with a readable error when the output cannot be opened.
   * @throws on a field that does not exist, which the config's schema should have refused.
   */
  async open({ file, fields }: AccessLogSettings): Promise<AccessLog> {
    const compiled = fields.map((name) => {
      const field = parseAccessField(name);
      if (field === undefined) throw new Error(`log.access.fields: no field named "${name}"`);
      return field;
    });
    const sink = this.sinks.get(file) ?? (await this.openSink(file));
    return new AccessLog(sink, compiled, this.settings.workerIndex);
  }

  /** The current snapshot writes to `file` (undefined: to none): the others are closed when they have written. */
  keepOnly(file: string | null | undefined): void {
    for (const [each, sink] of this.sinks) {
      if (each === file) sink.revive();
      else sink.retire();
    }
  }

  /** Opens files anew, after log rotation has moved them away. */
  reopen(): void {
    for (const sink of this.sinks.values()) sink.reopen();
  }

  /** Writes what is kept back. Resolves when all is written or `deadlineMs` from now. */
  async flush(deadlineMs: number): Promise<void> {
    await Promise.all(Array.from(this.sinks.values(), (sink) => sink.flush(deadlineMs)));
  }

  /** Lines dropped so far. */
  get droppedLines(): number {
    let lines = 0;
    for (const sink of this.sinks.values()) lines += sink.droppedLines;
    return lines;
  }

  /** Why lines cannot be written at the moment, `""` when they can. */
  get failure(): string {
    for (const [file, sink] of this.sinks) {
      if (sink.failure !== "") return `${file ?? "standard output"}: ${sink.failure}`;
    }
    return "";
  }

  private async openSink(file: string | null): Promise<LogSink> {
    const output = await LogOutput.open(file).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`log.access: cannot open ${file ?? "standard output"}: ${reason}`, { cause });
    });
    const { turns, backlogBytesMax = BACKLOG_BYTES_MAX } = this.settings;
    const sink = new LogSink(output, turns, backlogBytesMax);
    this.sinks.set(file, sink);
    return sink;
  }
}
