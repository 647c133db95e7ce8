// HOT
import { latin1Slice, latin1Write } from "../base/latin1.ts";

/**
 * What one transport is about to send, gathered while a read is delivered.
 *
 * Heads and small bodies are joined as text, which the system call writes without a further copy.
 * From TEXT_BYTES_MAX on bytes are copied into one buffer: one copy in cache is cheaper than turning
 * them into text and back, and the read buffer they lie in is free for the next read.
 */

const BUFFER_BYTES = 128 * 1024;
/** Measured: below this a slice as text costs less than a copy and a view. */
const TEXT_BYTES_MAX = 1024;

export interface OutputSink {
  /** Sends text; takes no reference. */
  sendText(text: string): void;
  /** Sends `bytes[0, length)`; returns true if it keeps `bytes`, which then are not touched again. */
  sendBytes(bytes: Buffer, length: number): boolean;
}

export class Output {
  private sink: OutputSink | null;
  private text: string;
  private buffer: Buffer;
  private length: number;
  /** While true, appended output waits for `flush`; else it is sent at once. */
  held: boolean;

  constructor() {
    this.sink = null;
    this.text = "";
    this.buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    this.length = 0;
    this.held = false;
  }

  appendText(sink: OutputSink, text: string): void {
    if (this.sink !== sink) this.startFor(sink);
    if (this.length === 0) this.text += text;
    else this.copyText(sink, text);
    // Answers to many requests that came at once would pile up.
    if (!this.held || this.text.length > BUFFER_BYTES) this.flush();
  }

  appendBytes(sink: OutputSink, bytes: Buffer, start: number, end: number): void {
    if (this.sink !== sink) this.startFor(sink);
    if (this.length === 0 && end - start <= TEXT_BYTES_MAX)
      this.text += latin1Slice(bytes, start, end);
    else this.copyBytes(sink, bytes, start, end);
    if (!this.held) this.flush();
  }

  private startFor(sink: OutputSink): void {
    this.flush();
    this.sink = sink;
  }

  private copyText(sink: OutputSink, text: string): void {
    if (text.length > BUFFER_BYTES - this.length) {
      this.flush();
      this.sink = sink;
      this.text = text;
      return;
    }
    latin1Write(this.buffer, text, this.length);
    this.length += text.length;
  }

  private copyBytes(sink: OutputSink, bytes: Buffer, start: number, end: number): void {
    if (this.text !== "") {
      const text = this.text;
      this.text = "";
      if (text.length > BUFFER_BYTES / 2) sink.sendText(text);
      else this.copyText(sink, text);
    }
    while (start < end) {
      if (this.length === BUFFER_BYTES) this.sendBuffer(sink);
      const room = BUFFER_BYTES - this.length;
      const size = end - start < room ? end - start : room;
      bytes.copy(this.buffer, this.length, start, start + size);
      this.length += size;
      start += size;
    }
  }

  private sendBuffer(sink: OutputSink): void {
    const length = this.length;
    this.length = 0;
    if (sink.sendBytes(this.buffer, length)) this.buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** Sends what has been gathered. */
  flush(): void {
    const sink = this.sink;
    if (sink === null) return;
    this.sink = null;
    if (this.length > 0) this.sendBuffer(sink);
    if (this.text !== "") {
      const text = this.text;
      this.text = "";
      sink.sendText(text);
    }
  }
}

/** One for all connections of a worker: reads are delivered one after the other. */
export const output = new Output();
