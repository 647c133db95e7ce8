// HOT
import type { AccessField } from "./access-fields.ts";
import { type AccessLine, compileAccessLine } from "./access-line.ts";
import type { AccessRecord } from "./access-record.ts";
import type { LogSink } from "./log-sink.ts";

/** Values are cut to this when a line would not fit the sink, so that a long URL loses its end, not its line. */
const CUT_VALUE_LENGTH = 100;

/** Writes one line for each exchange. Belongs to a snapshot; the sink behind it may be shared with the next one. */
export class AccessLog {
  private readonly sink: LogSink;
  private readonly line: AccessLine;
  private readonly cutLine: AccessLine;

  constructor(sink: LogSink, fields: readonly AccessField[], workerIndex: number) {
    this.sink = sink;
    this.line = compileAccessLine(fields, workerIndex);
    this.cutLine = compileAccessLine(fields, workerIndex, CUT_VALUE_LENGTH);
  }

  /** Never waits and never throws; whether the line was taken is for the caller to ignore. */
  write(record: AccessRecord): boolean {
    const line = this.line(record);
    if (line.length <= this.sink.lineBytesMax) return this.sink.append(line);
    return this.sink.append(this.cutLine(record));
  }
}
