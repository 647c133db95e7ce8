import { CONTENT_LENGTH, knownHeaderId } from "./known-header.ts";

/** What else of a response is ready beside its lines. */
export interface Around {
  /** Its status line, with CRLF. */
  readonly statusLine: string;
  /** Its body, a character for each byte; "" where that goes out by itself. */
  readonly body: string;
}

/** Field lines that are ready to be sent: made once, loaded into the head of message after message. */
export class FieldBlock {
  /** The status line, if it is ready, the lines, and then an empty line and the body, if that is. */
  readonly text: string;
  readonly linesStart: number;
  readonly linesEnd: number;
  readonly hasStatusLine: boolean;
  /** All of a response is in `text`. */
  readonly isMessage: boolean;
  readonly count: number;
  readonly spans: Int32Array;
  readonly ids: Uint8Array;
  readonly seen: number;
  /** The body's length is among them. */
  readonly hasLength: boolean;

  /** @param headers names in lower case and values, by turns; none that belongs to the connection */
  constructor(headers: readonly string[], { statusLine, body }: Around = NOTHING) {
    this.count = headers.length >> 1;
    this.spans = new Int32Array(this.count * 4);
    this.ids = new Uint8Array(this.count);
    let text = statusLine;
    let seen = 0;
    let hasLength = false;
    for (let index = 0; index < this.count; index++) {
      const name = headers[index * 2]!;
      const value = headers[index * 2 + 1]!;
      const at = index * 4;
      this.spans[at] = text.length;
      this.spans[at + 1] = text.length + name.length;
      this.spans[at + 2] = text.length + name.length + 2;
      text += `${name}: ${value}`;
      this.spans[at + 3] = text.length;
      text += "\r\n";
      this.ids[index] = knownHeaderId(name);
      seen |= 1 << this.ids[index]!;
      if (this.ids[index] === CONTENT_LENGTH) hasLength = true;
    }
    this.linesStart = statusLine.length;
    this.linesEnd = text.length;
    this.hasStatusLine = statusLine !== "";
    this.isMessage = this.hasStatusLine && body !== "";
    if (this.isMessage) text += `\r\n${body}`;
    // Flat, else every message that is made of it would have to flatten it.
    this.text = Buffer.from(text, "latin1").toString("latin1");
    this.seen = seen;
    this.hasLength = hasLength;
  }
}

const NOTHING: Around = { statusLine: "", body: "" };
