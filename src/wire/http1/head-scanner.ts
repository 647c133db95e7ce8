// HOT
import { CR, LF } from "../../base/byte-class.ts";
import { BARE_CR, BARE_LF, INCOMPLETE } from "./refusal.ts";

/**
 * Looks for the end of a head in bytes that arrive in pieces, so that a client that trickles costs one
 * look per byte instead of one parse per byte.
 */
export class HeadScanner {
  /** How much of CRLF CRLF has been seen: 0 to 4. */
  private seen: number;

  constructor() {
    this.seen = 0;
  }

  /** Starts anew; `seen` is 2 when the line before has just ended. */
  reset(seen: number): void {
    this.seen = seen;
  }

  /** @returns the position after the empty line, INCOMPLETE, BARE_LF or BARE_CR. */
  scan(bytes: Uint8Array, position: number, end: number): number {
    let seen = this.seen;
    for (; position < end; position++) {
      const byte = bytes[position];
      if (byte === LF) {
        if ((seen & 1) === 0) return BARE_LF;
        if (++seen === 4) {
          this.seen = 0;
          return position + 1;
        }
      } else if (byte === CR) {
        if ((seen & 1) === 1) return BARE_CR;
        seen++;
      } else {
        if ((seen & 1) === 1) return BARE_CR;
        seen = 0;
      }
    }
    this.seen = seen;
    return INCOMPLETE;
  }
}
