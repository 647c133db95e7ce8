/**
 * raw-connection: one end of a TCP, TLS or Unix socket connection for tests, byte by byte. Strings
 * are latin1, so that every byte can be written as a character.
 */
import type { Socket } from "node:net";
import { readRequest, readResponse } from "./raw-message.ts";
import type { Framing, RawMessage, RawResponse } from "./raw-message.ts";

/** How a connection ended, as seen from here. */
export type RawEnd =
  /** The peer sent all it had to send (FIN). */
  | "end"
  /** Broken off: a reset, or an error of TLS. */
  | "reset";

/** Far more than anything on loopback takes, less than a test may take. */
const timeoutMsDefault = 30_000;

export class RawConnection {
  readonly socket: Socket;
  /** Everything received, whether read or not. */
  readonly chunks: Buffer[] = [];
  ended: RawEnd | undefined;
  /** What was received and not read yet. */
  #unread: Buffer = Buffer.alloc(0);
  #waiting = new Set<() => void>();

  /** @param socket connected; from now on used through this only. */
  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => {
      this.chunks.push(bytes);
      this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
      this.#wake();
    });
    socket.on("end", () => this.#end("end"));
    socket.on("error", () => this.#end("reset"));
    socket.on("close", () => this.#end("reset"));
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get unread(): Buffer {
    return this.#unread;
  }

  /** Sends the bytes in one write; resolves when they are with the kernel. */
  async send(bytes: string | Buffer): Promise<void> {
    const buffer = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    if (this.socket.destroyed || !this.socket.writable) return;
    // A peer that closes early is for the test to notice by what it reads.
    await new Promise<void>((resolve) => this.socket.write(buffer, () => resolve()));
  }

  /** Sends the bytes in several writes, cut before the given positions, so that they arrive apart. */
  async sendCut(bytes: string | Buffer, ...positions: number[]): Promise<void> {
    const buffer = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    let start = 0;
    for (const position of [...positions, buffer.length]) {
      await this.send(buffer.subarray(start, position));
      // Lets the peer's event loop, if it runs in this process, read what came before.
      await new Promise((resolve) => setImmediate(resolve));
      start = position;
    }
  }

  /** Sends the bytes one by one. */
  async trickle(bytes: string | Buffer): Promise<void> {
    const positions = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, at) => at + 1);
    await this.sendCut(bytes, ...positions);
  }

  /** Sends FIN; reading goes on. */
  end(): void {
    this.socket.end();
  }

  /** Sends RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Stops taking bytes from the kernel, so that the peer's writes get stuck at some point. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /**
   * Reads up to and including `mark`, or all there is once a function says yes to it.
   * @throws Error with what did come, when the connection ends before, or after the timeout.
   */
  async readUntil(
    mark: string | ((unread: Buffer) => boolean),
    timeoutMs = timeoutMsDefault,
  ): Promise<Buffer> {
    const found = await this.#wait(timeoutMs, `until ${String(mark)}`, () => {
      if (typeof mark === "function") return mark(this.#unread) ? this.#unread.length : undefined;
      const at = this.#unread.indexOf(mark, 0, "latin1");
      return at < 0 ? undefined : at + mark.length;
    });
    return this.#take(found);
  }

  /** Reads one whole request. */
  async readRequest(timeoutMs = timeoutMsDefault): Promise<RawMessage> {
    const request = await this.#wait(timeoutMs, "a request", () => readRequest(this.#unread));
    this.#take(request.raw.length);
    return request;
  }

  /** Reads one whole response, which may be an informational one. */
  async readResponse(framing: Framing = {}, timeoutMs = timeoutMsDefault): Promise<RawResponse> {
    const response = await this.#wait(timeoutMs, "a response", () =>
      readResponse(this.#unread, { ended: this.ended === "end", ...framing }),
    );
    this.#take(response.raw.length);
    return response;
  }

  /** Waits until the peer has ended the connection, one way or the other. */
  async readEnd(timeoutMs = timeoutMsDefault): Promise<RawEnd> {
    return await this.#wait(timeoutMs, "the end", () => this.ended);
  }

  #take(length: number): Buffer {
    const taken = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return taken;
  }

  #end(how: RawEnd): void {
    this.ended ??= how;
    this.#wake();
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }

  async #wait<Found>(
    timeoutMs: number,
    what: string,
    look: () => Found | undefined,
  ): Promise<Found> {
    const { promise, resolve, reject } = Promise.withResolvers<Found>();
    const attempt = (): void => {
      try {
        const found = look();
        if (found !== undefined) resolve(found);
        else if (this.ended !== undefined) reject(this.#failure(`ended (${this.ended})`, what));
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(() => reject(this.#failure("timed out", what)), timeoutMs);
    this.#waiting.add(attempt);
    attempt();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(attempt);
    }
  }

  #failure(how: string, what: string): Error {
    const shown = JSON.stringify(this.#unread.toString("latin1", 0, 2000));
    return new Error(`${how} while waiting for ${what}; unread: ${shown}`);
  }
}
