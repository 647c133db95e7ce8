/** pour: writes a lot into a stream, for tests of backpressure, and tells how much was taken. */
import { createHash } from "node:crypto";
import type { Readable, Writable } from "node:stream";

/** A write that has not been taken by then is stuck: nothing on loopback takes half as long by itself. */
const stuckMs = 300;
const plain = Buffer.alloc(256 * 1024, "0123456789abcdef-");

export class Pour {
  /** Bytes the stream has taken so far: what it only queues does not count. */
  takenBytes = 0;
  /** Resolves when a write has been stuck for a while, rejects when all is taken without. */
  readonly stuck: Promise<void>;
  /** SHA-256 of all, hexadecimal, once it has been taken; the stream is ended then. */
  readonly done: Promise<string>;

  /** @param piece what is written again and again */
  constructor(stream: Writable, totalBytes: number, piece = plain) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    this.stuck = promise;
    this.done = this.#write(stream, totalBytes, piece, resolve).finally(() =>
      reject(new Error(`no write got stuck; ${this.takenBytes} bytes were taken`)),
    );
    this.done.catch(() => {});
  }

  async #write(
    stream: Writable,
    totalBytes: number,
    piece: Buffer,
    onStuck: () => void,
  ): Promise<string> {
    const hash = createHash("sha256");
    while (this.takenBytes < totalBytes) {
      const next = piece.subarray(0, Math.min(piece.length, totalBytes - this.takenBytes));
      const timer = setTimeout(onStuck, stuckMs);
      await new Promise<void>((resolve, reject) =>
        stream.write(next, (error) => (error ? reject(error) : resolve())),
      ).finally(() => clearTimeout(timer));
      hash.update(next);
      this.takenBytes += next.length;
    }
    stream.end();
    return hash.digest("hex");
  }
}

/** Reads a stream to its end. */
export async function drink(stream: Readable): Promise<{ bytes: number; hash: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, hash: hash.digest("hex") };
}
