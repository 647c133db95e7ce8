/**
 * HTTP/2 frames by hand (RFC 9113 section 4), for peers that do what no library lets one do. Heads are written
 * as HPACK literals without indexing and are never read.
 */
import { once } from "node:events";
import type { Socket } from "node:net";

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 1;
export const END_HEADERS = 4;
export const ACK = 1;

export interface Frame {
  type: number;
  flags: number;
  id: number;
  payload: Buffer;
}

const HEAD_BYTES = 9;
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** One end of a connection, either of them. */
export class FramePeer {
  readonly frames: Frame[] = [];
  readonly socket: Socket;
  ended = false;
  answersPings = true;
  private pending = Buffer.alloc(0);
  private readonly waiting: { test: (frame: Frame) => boolean; resolve: (frame: Frame) => void }[] =
    [];

  /** @param server expects the preface of a client before the first frame. */
  constructor(socket: Socket, server = false) {
    this.socket = socket;
    let skip = server ? PREFACE.length : 0;
    socket.on("error", () => {});
    socket.on("close", () => (this.ended = true));
    socket.on("data", (bytes: Buffer) => {
      this.pending = Buffer.concat([this.pending, bytes]);
      if (this.pending.length < skip) return;
      this.pending = this.pending.subarray(skip);
      skip = 0;
      this.readFrames();
    });
  }

  private readFrames(): void {
    while (this.pending.length >= HEAD_BYTES) {
      const length = this.pending.readUIntBE(0, 3);
      if (this.pending.length < HEAD_BYTES + length) return;
      const frame = {
        type: this.pending[3]!,
        flags: this.pending[4]!,
        id: this.pending.readUInt32BE(5),
        payload: this.pending.subarray(HEAD_BYTES, HEAD_BYTES + length),
      };
      this.pending = this.pending.subarray(HEAD_BYTES + length);
      this.frames.push(frame);
      if (frame.type === SETTINGS && frame.flags === 0) this.send(SETTINGS, ACK, 0);
      if (frame.type === PING && frame.flags === 0 && this.answersPings)
        this.send(PING, ACK, 0, frame.payload);
      for (const waiting of this.waiting) if (waiting.test(frame)) waiting.resolve(frame);
    }
  }

  /** Resolves with the first such frame, also one that has come before. Rejects if the connection closes first. */
  async frame(type: number, id?: number): Promise<Frame> {
    const test = (frame: Frame): boolean =>
      frame.type === type && (id === undefined || frame.id === id);
    const before = this.frames.find(test);
    if (before !== undefined) return before;
    const { promise, resolve, reject } = Promise.withResolvers<Frame>();
    this.waiting.push({ test, resolve });
    this.socket.once("close", () => reject(new Error(`closed before a frame of type ${type}`)));
    return await promise;
  }

  async closed(): Promise<void> {
    if (!this.ended) await once(this.socket, "close");
  }

  /** What a client sends first. */
  start(): this {
    this.socket.write(PREFACE);
    this.send(SETTINGS, 0, 0);
    return this;
  }

  send(type: number, flags: number, id: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.socket.write(frameBytes(type, flags, id, payload));
  }

  sendHead(id: number, fields: readonly (readonly [string, string])[], flags: number): void {
    this.send(HEADERS, flags | END_HEADERS, id, literals(fields));
  }

  sendData(id: number, data: string, flags = 0): void {
    this.send(DATA, flags, id, Buffer.from(data, "latin1"));
  }

  sendReset(id: number, code: number): void {
    this.send(RST_STREAM, 0, id, uint32(code));
  }
}

export function frameBytes(type: number, flags: number, id: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RFC 7541 section 6.2.2, a new name each time, nothing compressed. */
export function literals(fields: readonly (readonly [string, string])[]): Buffer {
  const pieces: Buffer[] = [];
  for (const [name, value] of fields) pieces.push(Buffer.from([0]), literal(name), literal(value));
  return Buffer.concat(pieces);
}

function literal(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([prefixed(bytes.length), bytes]);
}

/** RFC 7541 section 5.1, an integer with a prefix of 7 bits. */
function prefixed(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A request's pseudo-header fields. */
export function requestHead(
  method: string,
  path: string,
  ...more: (readonly [string, string])[]
): (readonly [string, string])[] {
  return [
    [":method", method],
    [":scheme", "http"],
    [":path", path],
    [":authority", "a.example"],
    ...more,
  ];
}
