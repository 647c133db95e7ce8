// HOT
import { HeadScanner } from "./head-scanner.ts";
import { INCOMPLETE } from "./refusal.ts";

const CARRIAGE_RETURN = 0x0d;

/** The beginning of a head that comes in pieces, kept until its end is there. */
export class PartialHead {
  length: number;
  private bytes: Buffer | null;
  private readonly scanner: HeadScanner;

  constructor() {
    this.length = 0;
    this.bytes = null;
    this.scanner = new HeadScanner();
  }

  /** Keeps a head whose end is not in `bytes[position, end)`. @returns INCOMPLETE or a refusal. */
  start(bytes: Buffer, position: number, end: number): number {
    // Of an empty line that is cut in two, the scanner must know the first half.
    const isHalf = end - position === 1 && bytes[position] === CARRIAGE_RETURN;
    this.scanner.reset(isHalf ? 1 : 0);
    // A CRLF before the request line must not count as the end of a head.
    const from = bytes[position] === CARRIAGE_RETURN ? Math.min(position + 2, end) : position;
    const stop = this.scanner.scan(bytes, from, end);
    if (stop !== INCOMPLETE) return stop;
    this.bytes = Buffer.from(bytes.subarray(position, end));
    this.length = end - position;
    return INCOMPLETE;
  }

  /**
   * Adds what has come, up to the end of the head if that is in it.
   * @returns the position in `bytes` after the head, INCOMPLETE or a refusal.
   */
  extend(bytes: Buffer, start: number, end: number): number {
    const stop = this.scanner.scan(bytes, start, end);
    if (stop < 0 && stop !== INCOMPLETE) return stop;
    this.append(bytes, start, stop < 0 ? end : stop);
    // "PR": what comes after the beginning of HTTP/2's preface has to be handed over with it.
    if (stop >= 0 && stop < end && this.bytes![0] === 0x50 && this.bytes![1] === 0x52) {
      this.append(bytes, stop, end);
      return end;
    }
    return stop;
  }

  /** Doubles its room as needed: trickled bytes cost no quadratic copying. */
  private append(bytes: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    let kept = this.bytes!;
    if (needed > kept.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, kept.length * 2));
      kept.copy(grown, 0, 0, this.length);
      this.bytes = kept = grown;
    }
    bytes.copy(kept, this.length, start, end);
    this.length = needed;
  }

  /** What it holds: `length` bytes of the buffer count. */
  peek(): Buffer {
    return this.bytes!;
  }

  /** Gives up what it holds: `length` bytes of the buffer count. */
  take(): Buffer {
    const bytes = this.bytes!;
    this.bytes = null;
    return bytes;
  }

  clear(): void {
    this.bytes = null;
  }
}
