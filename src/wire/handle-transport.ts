// HOT
import net from "node:net";
import { getSystemErrorName } from "node:util";
import { latin1Slice } from "../base/latin1.ts";
import { endDelivery, startDelivery } from "../base/event-clock.ts";
import { output } from "./output.ts";
import { resetSocket } from "./reset-socket.ts";
import {
  READ_RESULT,
  WRITE_IS_ASYNC,
  createShutdownRequest,
  createWriteRequest,
  streamState,
} from "./stream-handle.ts";
import type { StreamHandle, WriteRequest } from "./stream-handle.ts";
import type { Transport, TransportListener } from "./transport.ts";

/** libuv's UV_EOF. */
const END_OF_FILE = -4095;
const WRITE_FAILED_GRACE_MS = 100;
/** libuv's UV_EALREADY. */
const ALREADY_READING = -114;
const READ_BYTES = 64 * 1024;
/** A TLS write always completes later; up to this much may wait before the other side is held back. */
const TLS_QUEUE_BYTES_MAX = 64 * 1024;

/** Every read of this worker lands here; a listener is done with the bytes when it returns. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
/** Handed to writes; used again and again as long as the system takes the bytes at once. */
let writeRequest: WriteRequest | null = null;
const batched: HandleTransport[] = [];
let batchScheduled = false;
let reportListenerError: (error: unknown) => void = (error) => {
  throw error;
};

/** Sets who is told when a listener throws; the connection is closed then, the worker lives on. */
export function onListenerError(report: (error: unknown) => void): void {
  reportListenerError = report;
}

/** For layers beside the transports whose listeners throw. */
export function reportThrown(error: unknown): void {
  reportListenerError(error);
}

/** A transport on one of Node's stream handles. */
export class HandleTransport implements Transport {
  listener: TransportListener | null;
  readonly remoteAddress: string;
  readonly remotePort: number;
  congested: boolean;
  closed: boolean;
  batch: boolean;
  private readonly handle: StreamHandle;
  /** The socket the handle was taken from; it must do the closing. */
  private readonly owner: net.Socket | null;
  /** What the owner does with reads. */
  private readonly ownerRead: StreamHandle["onread"];
  private readonly isTls: boolean;
  private reading: boolean;
  private writing: boolean;
  private ending: boolean;
  private batchText: string;
  private queue: Buffer[];
  private queuedBytes: number;
  /** Unsent bytes of the write under way when they were last looked at. */
  private unsentBytes: number;

  constructor(
    handle: StreamHandle,
    owner: net.Socket | null,
    isTls: boolean,
    remoteAddress: string,
    remotePort: number,
  ) {
    this.listener = null;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.congested = false;
    this.closed = false;
    this.batch = false;
    this.handle = handle;
    this.owner = owner;
    this.ownerRead = owner === null ? ignoreRead : handle.onread;
    this.isTls = isTls;
    this.reading = false;
    this.writing = false;
    this.ending = false;
    this.batchText = "";
    this.queue = NO_QUEUE;
    this.queuedBytes = 0;
    this.unsentBytes = 0;
    handle.transport = this;
    handle.useUserBuffer(readBuffer);
    handle.onread = onRead;
    // TLS reports its errors to the socket alone.
    // cold: once per connection
    if (owner !== null) owner.once("close", () => this.fail(""));
  }

  get pending(): boolean {
    return this.writing;
  }

  hasProgressed(): boolean {
    const unsent = this.handle.writeQueueSize ?? 0;
    const progressed = unsent < this.unsentBytes;
    this.unsentBytes = unsent;
    return progressed;
  }

  writeText(text: string): void {
    if (this.closed) return;
    if (this.writing) this.enqueue(Buffer.from(text, "latin1"));
    else if (this.batch) this.addToBatch(text);
    else output.appendText(this, text);
  }

  writeBytes(bytes: Buffer, start: number, end: number): void {
    if (this.closed || start === end) return;
    if (this.writing) this.enqueue(Buffer.from(bytes.subarray(start, end)));
    else if (this.batch) this.addToBatch(latin1Slice(bytes, start, end));
    else output.appendBytes(this, bytes, start, end);
  }

  private addToBatch(text: string): void {
    if (this.batchText === "") {
      batched.push(this);
      if (!batchScheduled) {
        batchScheduled = true;
        setImmediate(flushBatches);
      }
    }
    this.batchText += text;
  }

  /** @internal */
  flushBatch(): void {
    const text = this.batchText;
    this.batchText = "";
    if (this.closed || text === "") return;
    if (this.writing) this.enqueue(Buffer.from(text, "latin1"));
    else this.sendText(text);
  }

  private enqueue(bytes: Buffer): void {
    if (this.queue === NO_QUEUE) this.queue = [];
    this.queue.push(bytes);
    this.queuedBytes += bytes.length;
    if (this.queuedBytes > TLS_QUEUE_BYTES_MAX) this.congested = true;
  }

  /** @internal for Output */
  sendText(text: string): void {
    if (this.closed) return;
    if (this.writing) {
      this.enqueue(Buffer.from(text, "latin1"));
      return;
    }
    writeRequest ??= createWriteRequest();
    const error = this.handle.writeLatin1String(writeRequest, text);
    if (error !== 0) this.failLater(error);
    else if (streamState[WRITE_IS_ASYNC] !== 0) this.awaitWrite(null, text.length);
  }

  /** @internal for Output */
  sendBytes(bytes: Buffer, length: number): boolean {
    if (this.closed) return false;
    if (this.writing) {
      this.enqueue(Buffer.from(bytes.subarray(0, length)));
      return false;
    }
    writeRequest ??= createWriteRequest();
    const error = this.handle.writeBuffer(writeRequest, bytes.subarray(0, length));
    if (error !== 0) {
      this.failLater(error);
      return false;
    }
    if (streamState[WRITE_IS_ASYNC] === 0) return false;
    this.awaitWrite(bytes, length);
    // TLS has encrypted or copied the bytes by now; TCP holds on to them until they are sent.
    return !this.isTls;
  }

  private awaitWrite(bytes: Buffer | null, length: number): void {
    const request = writeRequest!;
    writeRequest = null;
    request.transport = this;
    request.buffer = this.isTls ? null : bytes;
    request.oncomplete = onWritten;
    this.writing = true;
    // Set already, somebody waits for the drain, however little is left to send.
    if (!this.isTls || length > TLS_QUEUE_BYTES_MAX) this.congested = true;
    this.unsentBytes = this.handle.writeQueueSize ?? 0;
  }

  /** @internal */
  written(status: number): void {
    this.writing = false;
    if (this.closed) return;
    if (status !== 0) {
      this.failLater(status);
      return;
    }
    if (this.queue.length > 0) {
      const bytes = this.queue.length === 1 ? this.queue[0]! : Buffer.concat(this.queue);
      this.queue = NO_QUEUE;
      this.queuedBytes = 0;
      this.sendBytes(bytes, bytes.length);
      if (this.writing) return;
    }
    if (this.ending) this.shutdown();
    else if (!this.congested) return;
    this.congested = false;
    this.deliver(DRAIN, 0);
  }

  pause(): void {
    if (!this.reading || this.closed) return;
    this.reading = false;
    this.handle.readStop();
  }

  resume(): void {
    if (this.reading || this.closed) return;
    this.reading = true;
    const error = this.handle.readStart();
    // The socket that a handle was taken from may have begun to read.
    if (error !== 0 && error !== ALREADY_READING) {
      setImmediate(failNow, this, getSystemErrorName(error));
    }
  }

  end(): void {
    if (this.closed || this.ending) return;
    output.flush();
    if (this.batchText !== "") this.flushBatch();
    this.ending = true;
    if (!this.writing) this.shutdown();
  }

  private shutdown(): void {
    const request = createShutdownRequest();
    request.oncomplete = noop;
    this.handle.shutdown(request);
  }

  destroy(): void {
    if (this.closed) return;
    // What was written within this delivery still leaves: an answer may be followed by a close.
    output.flush();
    this.close();
  }

  reset(): void {
    if (this.closed) return;
    output.flush();
    if (this.owner === null && this.handle.reset !== undefined) {
      this.closed = true;
      this.listener = null;
      this.queue = NO_QUEUE;
      if (this.handle.reset() !== 0) this.handle.close();
      return;
    }
    if (this.owner !== null) resetSocket(this.owner);
    this.close();
  }

  release(unread: Buffer): net.Socket {
    // A socket made of the handle sets its own `onread` and begins to read; the owner has to learn of the end.
    if (this.owner === null) this.pause();
    else this.resume();
    this.closed = true;
    this.listener = null;
    this.handle.onread = this.ownerRead;
    const socket = this.owner ?? new net.Socket({ handle: this.handle } as object);
    socket.allowHalfOpen = false;
    if (unread.length > 0) socket.unshift(unread);
    return socket;
  }

  private close(): void {
    this.closed = true;
    this.listener = null;
    this.queue = NO_QUEUE;
    this.handle.onread = ignoreRead;
    if (this.owner !== null) this.owner.destroy();
    else this.handle.close();
  }

  /** @internal Closes because of the peer or the system, and says so to the listener. */
  fail(error: string): void {
    if (this.closed) return;
    const listener = this.listener;
    this.close();
    if (listener !== null) {
      output.held = true;
      try {
        listener.onClose(error);
      } catch (thrown) {
        reportListenerError(thrown);
      }
      output.held = false;
      output.flush();
    }
  }

  /**
   * The peer takes no more. What it sent before may still be unread, such as an early response that
   * says why: it is read first, and its end or an error ends the transport. The timer is for a peer
   * that leaves its own direction open.
   */
  private failLater(error: number): void {
    const name = getSystemErrorName(error);
    this.writing = true;
    this.resume();
    setTimeout(failNow, WRITE_FAILED_GRACE_MS, this, name).unref();
  }

  /** @internal */
  deliver(event: number, length: number): void {
    const listener = this.listener;
    if (listener === null) return;
    output.held = true;
    startDelivery();
    try {
      if (event === DATA) listener.onData(readBuffer, 0, length);
      else if (event === DRAIN) listener.onDrain();
      else listener.onEnd();
    } catch (thrown) {
      this.endDelivery();
      this.fail("");
      reportListenerError(thrown);
      return;
    }
    this.endDelivery();
  }

  private endDelivery(): void {
    endDelivery();
    output.held = false;
    output.flush();
  }
}

const NO_QUEUE: Buffer[] = [];
const DATA = 0;
const DRAIN = 1;
const END = 2;

function onRead(this: StreamHandle): void {
  const result = streamState[READ_RESULT]!;
  const transport = this.transport as HandleTransport;
  if (result > 0) transport.deliver(DATA, result);
  else if (result === END_OF_FILE) transport.deliver(END, 0);
  else if (result < 0) transport.fail(getSystemErrorName(result));
}

function ignoreRead(): void {}
function noop(): void {}

function onWritten(this: WriteRequest, status: number): void {
  (this.transport as HandleTransport).written(status);
}

function failNow(transport: HandleTransport, error: string): void {
  transport.fail(error);
}

function flushBatches(): void {
  batchScheduled = false;
  for (let index = 0; index < batched.length; index++) batched[index]!.flushBatch();
  batched.length = 0;
}
