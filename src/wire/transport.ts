// HOT
import type net from "node:net";

/**
 * A byte stream in both directions: a TCP or Unix connection, with or without TLS.
 *
 * Reads arrive in a buffer that the next read, on any connection, overwrites: a listener uses or
 * copies the bytes before it returns. Writes made while a read is being delivered are held back until
 * the delivery ends or another transport writes, so that a head, its body and its end leave in one
 * system call.
 */
export interface Transport {
  listener: TransportListener | null;
  /** Remote address without a port, "" for a Unix socket. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** True while written bytes wait for the peer; `onDrain` follows. */
  readonly congested: boolean;
  /** True while written bytes have not all been taken by the system: `destroy` would lose them. */
  readonly pending: boolean;
  readonly closed: boolean;
  /** Sends text, one byte a character. */
  writeText(text: string): void;
  /** Sends `bytes[start, end)`; they are copied or sent before it returns. */
  writeBytes(bytes: Buffer, start: number, end: number): void;
  /** Holds writes back until the event loop has polled once, so that many messages leave together. */
  batch: boolean;
  /** Whether the peer has taken any of what is pending since it was written, or since this was last asked. */
  hasProgressed(): boolean;
  pause(): void;
  resume(): void;
  /** Sends what is left, then closes the sending side (FIN, close_notify); `onDrain` follows if it is pending. */
  end(): void;
  /** Closes at once; what is unsent is lost. No event follows. */
  destroy(): void;
  /** Like destroy, and tells the peer that something broke (RST) where the transport can. */
  reset(): void;
  /**
   * Gives the connection up as a socket from which `unread` is read first, and which closes when the peer
   * has ended; the transport is closed then. Nothing may have been written, and the new owner listens before the event loop goes on.
   */
  release(unread: Buffer): net.Socket;
}

export interface TransportListener {
  onData(bytes: Buffer, start: number, end: number): void;
  /** The peer will send no more. */
  onEnd(): void;
  /** All that was written has been taken by the system, after congestion or `end`. */
  onDrain(): void;
  /** The transport broke or was closed from outside; no event follows. `error` is a system error name. */
  onClose(error: string): void;
}
