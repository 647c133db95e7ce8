import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface SoakAnswer {
  status: number;
  head: string;
  body: Buffer;
}

/** A connection broke, or was not there, before the answer was whole. */
export class ConnectionBroken extends Error {}

export interface ConnectionPlace {
  port: number;
  /** PEM of the authority to trust; without it the connection is not encrypted. */
  ca?: string | undefined;
}

const HEAD_END = "\r\n\r\n";
const answerDeadlineMs = 30_000;

/** One connection of a client that knows no more of HTTP than it needs: answers with a Content-Length. */
export class SoakConnection {
  readonly openedAtMs = performance.now();
  answerCount = 0;
  /** The gateway has said that it will close, or has done so. */
  isOver = false;
  readonly socket: Socket;
  private received: Buffer = Buffer.alloc(0);
  private wake: (() => void) | undefined;
  private failure: string | undefined;

  constructor({ port, ca }: ConnectionPlace) {
    const address = { port, host: "127.0.0.1" };
    this.socket =
      ca === undefined
        ? connectTcp(address)
        : connectTls({ ...address, ca, servername: "localhost" });
    this.socket.setNoDelay(true);
    this.socket.on("data", (bytes: Buffer) => {
      this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
      this.wake?.();
    });
    this.socket.on("error", (error: NodeJS.ErrnoException) =>
      this.fail(error.code ?? error.message),
    );
    this.socket.on("close", () => this.fail("closed"));
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** The next answer. @throws ConnectionBroken */
  async answer(): Promise<SoakAnswer> {
    const headEnd = await this.find(() => this.received.indexOf(HEAD_END));
    const head = this.received.toString("latin1", 0, headEnd);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    this.take(headEnd + HEAD_END.length);
    const body = await this.bytes(length);
    this.answerCount += 1;
    if (/^connection: close$/im.test(head)) this.isOver = true;
    return { status, head, body };
  }

  /** The next so many bytes. @throws ConnectionBroken */
  async bytes(length: number): Promise<Buffer> {
    await this.find(() => (this.received.length >= length ? length : -1));
    return this.take(length);
  }

  close(): void {
    this.isOver = true;
    this.socket.destroy();
  }

  private take(length: number): Buffer {
    const taken = this.received.subarray(0, length);
    this.received = this.received.subarray(length);
    return taken;
  }

  /** Waits until `look` finds what it looks for in what has been received. */
  private async find(look: () => number): Promise<number> {
    const timer = setTimeout(
      () => this.fail(`no answer in ${answerDeadlineMs} ms`),
      answerDeadlineMs,
    );
    try {
      for (;;) {
        const found = look();
        if (found >= 0) return found;
        if (this.failure !== undefined) throw new ConnectionBroken(this.failure);
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private fail(reason: string): void {
    this.failure ??= reason;
    this.isOver = true;
    this.socket.destroy();
    this.wake?.();
  }
}
