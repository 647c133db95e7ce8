import type net from "node:net";
import { endDelivery, startDelivery } from "../base/event-clock.ts";
import { reportThrown } from "./handle-transport.ts";
import { output } from "./output.ts";
import type { OutputSink } from "./output.ts";
import { resetSocket } from "./reset-socket.ts";
import type { Transport, TransportListener } from "./transport.ts";

/**
 * A transport on the public interface of a socket, for a Node on which stream handles cannot be
 * driven directly. It behaves as HandleTransport does and costs about a tenth more per request. In one
 * thing it cannot: a socket whose write fails is closed by Node, with whatever it has not read yet, so
 * the answer of a service that answers early and resets may be lost.
 */
export class SocketTransport implements Transport, OutputSink {
  listener: TransportListener | null;
  readonly remoteAddress: string;
  readonly remotePort: number;
  congested: boolean;
  closed: boolean;
  batch: boolean;
  private readonly socket: net.Socket;
  private batchText: string;
  /** Unsent bytes when they were last looked at. */
  private unsentBytes: number;

  constructor(socket: net.Socket, remoteAddress: string, remotePort: number) {
    this.listener = null;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.congested = false;
    this.closed = false;
    this.batch = false;
    this.socket = socket;
    this.batchText = "";
    this.unsentBytes = 0;
    socket.allowHalfOpen = true;
    socket.on("data", (bytes: Buffer) =>
      this.deliver((listener) => listener.onData(bytes, 0, bytes.length)),
    );
    socket.on("end", () => this.deliver((listener) => listener.onEnd()));
    socket.on("drain", () => this.onFlushed());
    socket.on("finish", () => this.onFlushed());
    socket.on("error", (error: NodeJS.ErrnoException) => this.fail(error.code ?? ""));
    socket.on("close", () => this.fail(""));
    socket.pause();
  }

  private onFlushed(): void {
    this.congested = false;
    this.deliver((listener) => listener.onDrain());
  }

  private deliver(event: (listener: TransportListener) => void): void {
    if (this.listener === null) return;
    output.held = true;
    startDelivery();
    try {
      event(this.listener);
    } catch (thrown) {
      this.fail("");
      reportThrown(thrown);
    }
    endDelivery();
    output.held = false;
    output.flush();
  }

  private fail(error: string): void {
    if (this.closed) return;
    this.closed = true;
    const { listener } = this;
    this.listener = null;
    this.socket.destroy();
    try {
      listener?.onClose(error);
    } catch (thrown) {
      reportThrown(thrown);
    }
  }

  get pending(): boolean {
    return this.socket.writableLength > 0;
  }

  hasProgressed(): boolean {
    const unsent = this.socket.writableLength;
    const progressed = unsent < this.unsentBytes;
    this.unsentBytes = unsent;
    return progressed;
  }

  writeText(text: string): void {
    if (this.closed) return;
    if (this.batch) this.addToBatch(text);
    else output.appendText(this, text);
  }

  writeBytes(bytes: Buffer, start: number, end: number): void {
    if (this.closed || start === end) return;
    if (this.batch) this.addToBatch(bytes.toString("latin1", start, end));
    else output.appendBytes(this, bytes, start, end);
  }

  private addToBatch(text: string): void {
    if (this.batchText === "") setImmediate(() => this.flushBatch());
    this.batchText += text;
  }

  private flushBatch(): void {
    const text = this.batchText;
    this.batchText = "";
    if (text !== "") this.sendText(text);
  }

  sendText(text: string): void {
    if (!this.closed && !this.socket.write(text, "latin1")) this.onFull();
  }

  sendBytes(bytes: Buffer, length: number): boolean {
    // The socket may keep what it is given for as long as it likes.
    if (!this.closed && !this.socket.write(Buffer.from(bytes.subarray(0, length)))) this.onFull();
    return false;
  }

  private onFull(): void {
    this.congested = true;
    this.unsentBytes = this.socket.writableLength;
  }

  pause(): void {
    if (!this.closed) this.socket.pause();
  }

  resume(): void {
    if (!this.closed) this.socket.resume();
  }

  end(): void {
    if (this.closed) return;
    output.flush();
    this.flushBatch();
    this.socket.end();
  }

  destroy(): void {
    if (this.closed) return;
    output.flush();
    this.closed = true;
    this.listener = null;
    // What was handed to the socket still leaves before it closes, as it does from a stream handle.
    if (this.socket.writableLength > 0 && !this.congested) this.socket.destroySoon();
    else this.socket.destroy();
  }

  reset(): void {
    if (this.closed) return;
    output.flush();
    this.closed = true;
    this.listener = null;
    resetSocket(this.socket);
  }

  release(unread: Buffer): net.Socket {
    this.closed = true;
    this.listener = null;
    const { socket } = this;
    socket.removeAllListeners("data");
    socket.removeAllListeners("end");
    socket.removeAllListeners("drain");
    socket.removeAllListeners("close");
    socket.pause();
    socket.allowHalfOpen = false;
    if (unread.length > 0) socket.unshift(unread);
    return socket;
  }
}
