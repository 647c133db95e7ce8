import { READ_RESULT, WRITE_IS_ASYNC, streamState } from "../../src/wire/stream-handle.ts";
import type { StreamHandle, WriteRequest } from "../../src/wire/stream-handle.ts";

/** A stream handle without a socket: takes all writes at once, delivers what it is told to. A named fake. */
export class FakeHandle implements StreamHandle {
  onread: ((this: StreamHandle) => void) | null = null;
  transport?: unknown;
  /** System calls that would have been made. */
  writeCount = 0;
  lastWritten = "";
  private buffer: Uint8Array = new Uint8Array(0);

  deliver(bytes: Uint8Array): void {
    this.buffer.set(bytes);
    streamState[READ_RESULT] = bytes.length;
    this.onread!();
  }

  writeLatin1String(_request: WriteRequest, text: string): number {
    this.writeCount++;
    this.lastWritten = text;
    streamState[WRITE_IS_ASYNC] = 0;
    return 0;
  }

  writeBuffer(_request: WriteRequest, bytes: Uint8Array): number {
    this.writeCount++;
    this.lastWritten = Buffer.from(bytes).toString("latin1");
    streamState[WRITE_IS_ASYNC] = 0;
    return 0;
  }

  useUserBuffer(buffer: Uint8Array): void {
    this.buffer = buffer;
  }

  readStart(): number {
    return 0;
  }

  readStop(): number {
    return 0;
  }

  shutdown(): number {
    return 0;
  }

  close(): void {}
}
