/** value-encoding: makes values safe for the place where a template puts them. */
import { isUtf8 } from "node:buffer";
import type { ValueForm } from "./template-variables.ts";

/** A place for the result of a template. */
export interface ValueEncoding {
  /** Makes one value safe; whatever the client has sent cannot get out of its place. */
  encode(value: string, form: ValueForm): string;
  /** Of the whole; absent where there is nothing more to do. */
  finish?(text: string): string;
}

/** All that is no visible ASCII or blank: line breaks and control characters among it. */
const NOT_IN_HEADER = /[^\x20-\x7e]/gu;
const OUTER_BLANKS = /^[\t ]+|[\t ]+$/g;

/**
 * For the value of a header (RFC 9110 section 5.5): what came in a head goes on as it is, of anything else
 * all but ASCII is percent-encoded as UTF-8. Blanks at the ends, which HTTP/2 forbids, are taken away.
 */
export const HEADER_VALUE: ValueEncoding = {
  encode(value, form) {
    return form === "text" ? value.toWellFormed().replaceAll(NOT_IN_HEADER, encodedText) : value;
  },
  finish: (text) => text.replaceAll(OUTER_BLANKS, ""),
};

const NOT_UNRESERVED = /[^A-Za-z0-9\-._~]/g;
const ESCAPE_OR_NOT_UNRESERVED = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~]/g;

/** For the value of a query parameter: all but unreserved characters is percent-encoded, once. */
export const QUERY_VALUE: ValueEncoding = {
  encode(value, form) {
    switch (form) {
      case "wire":
        return value.replaceAll(NOT_UNRESERVED, encodedByte);
      case "coded":
        return value.replaceAll(ESCAPE_OR_NOT_UNRESERVED, (one) => {
          return one.length === 3 ? one : encodedByte(one);
        });
      case "text":
        return encodeURIComponent(value.toWellFormed());
    }
  },
};

const NOT_ASCII = /[^\x00-\x7f]/;

/**
 * For a text that is escaped where it is written, such as a member of a body: bytes of a head are read as UTF-8,
 * where they are that, and nothing else is changed.
 */
export const PLAIN_TEXT: ValueEncoding = {
  encode(value, form) {
    if (form === "text" || !NOT_ASCII.test(value)) return value.toWellFormed();
    const bytes = Buffer.from(value, "latin1");
    return isUtf8(bytes) ? bytes.toString() : value;
  },
};

function encodedText(character: string): string {
  return encodeURIComponent(character);
}

function encodedByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
