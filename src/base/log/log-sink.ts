// HOT
import { latin1Write } from "../latin1.ts";
import type { LogOutput } from "./log-output.ts";
import type { WriteTurns } from "./write-turns.ts";

/** Lines wait this long at most before they are written. */
const FLUSH_AFTER_MS = 100;
/** A failed write is tried again after this, doubled up to the maximum. */
const RETRY_AFTER_MS = 20;
const RETRY_AFTER_MS_MAX = 1000;
/** Written batches kept for reuse; more are left to the collector. */
const SPARE_BATCHES_MAX = 4;

type IdleWaiter = () => void;

class Batch {
  readonly bytes: Buffer;
  length: number;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.length = 0;
  }
}

/**
 * Gathers lines and has them written in batches, one write at a time, and never makes the caller wait:
 * what the output does not take is kept up to `backlogBytesMax` and dropped, and counted, beyond it.
 */
export class LogSink {
  /** Longer lines cannot be written in one piece, and are refused. */
  readonly lineBytesMax: number;
  /** Lines that were refused since the sink was made. */
  droppedLines: number;
  /** Why the last write failed, `""` since one succeeded. */
  failure: string;
  private readonly output: LogOutput;
  private readonly turns: WriteTurns;
  private readonly backlogBytesMax: number;
  private filling: Batch;
  private readonly waiting: Batch[];
  private readonly spare: Batch[];
  private queuedBytes: number;
  private isWriting: boolean;
  private isRetired: boolean;
  private retryAfterMs: number;
  private flushTimer: NodeJS.Timeout | null;
  private retryTimer: NodeJS.Timeout | null;
  /** The batch being filled is to be written as soon as the ones before it are. */
  private isFlushDue: boolean;
  private readonly onIdle: IdleWaiter[];

  constructor(output: LogOutput, turns: WriteTurns, backlogBytesMax: number) {
    this.lineBytesMax = output.batchBytes;
    this.droppedLines = 0;
    this.failure = "";
    this.output = output;
    this.turns = turns;
    this.backlogBytesMax = backlogBytesMax;
    this.filling = new Batch(output.batchBytes);
    this.waiting = [];
    this.spare = [];
    this.queuedBytes = 0;
    this.isWriting = false;
    this.isRetired = false;
    this.retryAfterMs = RETRY_AFTER_MS;
    this.flushTimer = null;
    this.retryTimer = null;
    this.isFlushDue = false;
    this.onIdle = [];
  }

  /** Takes a line of ASCII with its line feed; false when it was dropped. */
  append(line: string): boolean {
    const length = line.length;
    if (this.filling.length + length > this.lineBytesMax) {
      if (length > this.lineBytesMax || this.backlogBytes + length > this.backlogBytesMax) {
        this.droppedLines += 1;
        return false;
      }
      this.queueFilling();
      this.writeNext();
    }
    const batch = this.filling;
    if (batch.length === 0) this.flushSoon();
    batch.length += latin1Write(batch.bytes, line, batch.length);
    return true;
  }

  /** Bytes taken and not written yet. */
  get backlogBytes(): number {
    return this.queuedBytes + this.filling.length;
  }

  /** Writes what there is; resolves when it is written or `deadlineMs` from now, with whether it is. */
  // cold: at the end of a worker
  flush(deadlineMs: number): Promise<boolean> {
    this.retryAfterMs = RETRY_AFTER_MS;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(this.backlogBytes === 0), deadlineMs);
    this.onIdle.push(() => {
      clearTimeout(timer);
      resolve(true);
    });
    this.flushNow();
    return promise;
  }

  /** Has the output opened anew, after the file was moved away: what is written from now on goes to the new one. */
  reopen(): void {
    this.output.release();
  }

  /**
   * Told when the config names another output. Exchanges that began before may still write: the output is
   * opened for each batch and closed after it.
   */
  retire(): void {
    this.isRetired = true;
    this.flushNow();
  }

  /** The opposite, when the config names it again. */
  revive(): void {
    this.isRetired = false;
  }

  private queueFilling(): void {
    this.isFlushDue = false;
    this.queuedBytes += this.filling.length;
    this.waiting.push(this.filling);
    this.filling = this.spare.pop() ?? new Batch(this.lineBytesMax);
  }

  private flushSoon(): void {
    if (this.flushTimer === null) {
      // cold: once for a sink
      this.flushTimer = setTimeout(() => this.flushNow(), FLUSH_AFTER_MS);
      this.flushTimer.unref();
    } else {
      this.flushTimer.refresh();
    }
  }

  private flushNow(): void {
    this.isFlushDue = true;
    this.writeNext();
  }

  private writeNext(): void {
    if (this.isWriting || this.retryTimer !== null) return;
    // Not before the queue is empty: batches are as large when full as when they hold one line.
    if (this.waiting.length === 0 && this.isFlushDue && this.filling.length > 0)
      this.queueFilling();
    const batch = this.waiting[0];
    if (batch === undefined) {
      this.becomeIdle();
      return;
    }
    if (this.output.mayBlock && !this.turns.take()) {
      this.retryLater(RETRY_AFTER_MS);
      return;
    }
    this.isWriting = true;
    // cold: once for a batch
    this.output.write(batch.bytes, batch.length, (error) => this.onWritten(batch, error));
  }

  private onWritten(batch: Batch, error: NodeJS.ErrnoException | null): void {
    this.isWriting = false;
    if (this.output.mayBlock) this.turns.give();
    if (error !== null) {
      // EAGAIN is a pipe that is full, which is no news as long as nothing is dropped.
      this.failure = error.code === "EAGAIN" ? "nobody reads it fast enough" : error.message;
      this.retryLater(this.retryAfterMs);
      this.retryAfterMs = Math.min(this.retryAfterMs * 2, RETRY_AFTER_MS_MAX);
      return;
    }
    this.failure = "";
    this.retryAfterMs = RETRY_AFTER_MS;
    this.waiting.shift();
    this.queuedBytes -= batch.length;
    batch.length = 0;
    if (this.spare.length < SPARE_BATCHES_MAX) this.spare.push(batch);
    this.writeNext();
  }

  // cold: only when the output does not keep up
  private retryLater(afterMs: number): void {
    this.retryTimer = setTimeout(() => {
      this.retryTimer = null;
      this.writeNext();
    }, afterMs);
    this.retryTimer.unref();
  }

  private becomeIdle(): void {
    if (this.isRetired) this.output.release();
    for (let waiter = this.onIdle.pop(); waiter !== undefined; waiter = this.onIdle.pop()) waiter();
  }
}
