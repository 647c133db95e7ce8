// HOT
import { CR, FIELD_VALUE, HEX_VALUE, LF } from "../../base/byte-class.ts";
import { latin1Slice } from "../../base/latin1.ts";
import { Fields } from "../fields.ts";
import { HeadScanner } from "./head-scanner.ts";
import { parseFields } from "./parse-fields.ts";
import type { HeadLimits } from "./parse-request-head.ts";
import {
  BAD_CHUNK_END,
  BAD_CHUNK_EXTENSION,
  BAD_CHUNK_SIZE,
  BAD_TRAILER,
  BARE_LF,
  HEAD_TOO_LARGE,
  INCOMPLETE,
} from "./refusal.ts";

const LENGTH = 0;
const UNTIL_CLOSE = 1;
const CHUNK_SIZE = 2;
const CHUNK_EXTENSION = 3;
const CHUNK_SIZE_LF = 4;
const CHUNK_DATA = 5;
const CHUNK_DATA_CR = 6;
const CHUNK_DATA_LF = 7;
const TRAILERS = 8;

/** Twelve hexadecimal digits are 256 TiB; a longer size line only serves to overflow somebody. */
const SIZE_DIGITS_MAX = 12;
/** Extensions are never passed on (RFC 9112 section 7.1.1); this much is read past in a whole body. */
const EXTENSION_BYTES_MAX = 4096;
const SEMICOLON = 0x3b;

/**
 * Reads one message body out of a byte stream (RFC 9112 sections 6 and 7).
 *
 *     while (position < end && !reader.done) {
 *       position = reader.read(bytes, position, end);
 *       if (position < 0) refuse(position);
 *       if (reader.dataEnd > reader.dataStart) use(bytes, reader.dataStart, reader.dataEnd);
 *     }
 */
export class BodyReader {
  done: boolean;
  /** The data found by the last `read`, in the bytes that were given to it. */
  dataStart: number;
  dataEnd: number;
  /** Set when a chunked body ended with trailer fields. */
  trailers: Fields | null;
  private state: number;
  private remaining: number;
  private digits: number;
  private extensionBytes: number;
  private scanner: HeadScanner | null;
  private collected: Buffer | null;
  private limits: HeadLimits | null;

  constructor() {
    this.done = true;
    this.dataStart = 0;
    this.dataEnd = 0;
    this.trailers = null;
    this.state = LENGTH;
    this.remaining = 0;
    this.digits = 0;
    this.extensionBytes = 0;
    this.scanner = null;
    this.collected = null;
    this.limits = null;
  }

  startLength(bytes: number): void {
    this.state = LENGTH;
    this.remaining = bytes;
    this.done = bytes === 0;
    this.trailers = null;
  }

  startUntilClose(): void {
    this.state = UNTIL_CLOSE;
    this.done = false;
    this.trailers = null;
  }

  /** @param limits bound the trailer section as they bound a head. */
  startChunked(limits: HeadLimits): void {
    this.state = CHUNK_SIZE;
    this.remaining = 0;
    this.digits = 0;
    this.extensionBytes = 0;
    this.done = false;
    this.trailers = null;
    this.collected = null;
    this.limits = limits;
  }

  /** True when the end of the stream is this body's proper end. */
  get endsAtClose(): boolean {
    return this.state === UNTIL_CLOSE;
  }

  /** Bytes still to come; more than any limit where the length was not stated. */
  get remainingLength(): number {
    return this.state === LENGTH ? this.remaining : Number.MAX_SAFE_INTEGER;
  }

  /**
   * Reads up to the next run of data or the end of the body.
   *
   * @returns the new position, or a refusal (negative).
   */
  read(bytes: Buffer, position: number, end: number): number {
    this.dataStart = position;
    this.dataEnd = position;
    if (this.state === LENGTH) return this.takeData(position, end);
    if (this.state === UNTIL_CLOSE) {
      this.dataEnd = end;
      return end;
    }
    return this.readChunked(bytes, position, end);
  }

  private takeData(position: number, end: number): number {
    const size = end - position < this.remaining ? end - position : this.remaining;
    this.remaining -= size;
    this.dataStart = position;
    this.dataEnd = position + size;
    if (this.remaining === 0 && this.state === LENGTH) this.done = true;
    return position + size;
  }

  private readChunked(bytes: Buffer, position: number, end: number): number {
    while (position < end) {
      const byte = bytes[position]!;
      switch (this.state) {
        case CHUNK_SIZE: {
          const digit = HEX_VALUE[byte]!;
          if (digit !== 255) {
            if (++this.digits > SIZE_DIGITS_MAX) return BAD_CHUNK_SIZE;
            this.remaining = this.remaining * 16 + digit;
          } else if (this.digits === 0) {
            return BAD_CHUNK_SIZE;
          } else if (byte === CR) {
            this.state = CHUNK_SIZE_LF;
          } else if (byte === SEMICOLON) {
            this.state = CHUNK_EXTENSION;
          } else {
            return byte === LF ? BARE_LF : BAD_CHUNK_SIZE;
          }
          position++;
          break;
        }
        case CHUNK_EXTENSION:
          if (byte === CR) this.state = CHUNK_SIZE_LF;
          else if (FIELD_VALUE[byte] !== 1) return byte === LF ? BARE_LF : BAD_CHUNK_EXTENSION;
          else if (++this.extensionBytes > EXTENSION_BYTES_MAX) return BAD_CHUNK_EXTENSION;
          position++;
          break;
        case CHUNK_SIZE_LF:
          if (byte !== LF) return BAD_CHUNK_END;
          position++;
          if (this.remaining > 0) this.state = CHUNK_DATA;
          else this.startTrailers();
          break;
        case CHUNK_DATA:
          position = this.takeData(position, end);
          if (this.remaining === 0) this.state = CHUNK_DATA_CR;
          // Read on past the framing that follows, so that the end is seen with the last data.
          return this.readFraming(bytes, position, end);
        case TRAILERS:
          return this.readTrailers(bytes, position, end);
        default:
          position = this.readFraming(bytes, position, end);
          if (position < 0) return position;
          break;
      }
    }
    return position;
  }

  /** The CRLF after a chunk's data. */
  private readFraming(bytes: Buffer, position: number, end: number): number {
    if (this.state === CHUNK_DATA_CR && position < end) {
      if (bytes[position] !== CR) return BAD_CHUNK_END;
      this.state = CHUNK_DATA_LF;
      position++;
    }
    if (this.state === CHUNK_DATA_LF && position < end) {
      if (bytes[position] !== LF) return BAD_CHUNK_END;
      this.state = CHUNK_SIZE;
      this.digits = 0;
      position++;
    }
    return position;
  }

  private startTrailers(): void {
    this.state = TRAILERS;
    // The line of the last chunk has just ended: CRLF alone now ends the body.
    (this.scanner ??= new HeadScanner()).reset(2);
  }

  private readTrailers(bytes: Buffer, position: number, end: number): number {
    const limits = this.limits!;
    const collected = this.collected;
    if (
      collected === null &&
      end - position >= 2 &&
      bytes[position] === CR &&
      bytes[position + 1] === LF
    ) {
      this.done = true;
      return position + 2;
    }
    const stop = this.scanner!.scan(bytes, position, end);
    if (stop < 0 && stop !== INCOMPLETE) return stop;
    const piece = bytes.subarray(position, stop < 0 ? end : stop);
    const whole = collected === null ? Buffer.from(piece) : Buffer.concat([collected, piece]);
    if (whole.length > limits.headBytesMax) return HEAD_TOO_LARGE;
    if (stop < 0) {
      this.collected = whole;
      return end;
    }
    this.collected = null;
    return this.finishTrailers(whole, limits) < 0 ? BAD_TRAILER : stop;
  }

  private finishTrailers(whole: Buffer, limits: HeadLimits): number {
    const fields = new Fields();
    const parsed = parseFields(whole, 0, whole.length, 0, fields, limits.fieldCountMax);
    if (parsed !== whole.length) return BAD_TRAILER;
    fields.text = latin1Slice(whole, 0, whole.length);
    if (fields.count > 0) this.trailers = fields;
    this.done = true;
    return 0;
  }
}
