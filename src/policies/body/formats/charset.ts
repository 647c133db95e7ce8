import { isUtf8 } from "node:buffer";
import { BodyFlaw } from "../body-flaw.ts";

const CHARSET = /;[\t ]*charset[\t ]*=[\t ]*(?:"([^"\\]*)"|([^\s;"]*))/gi;
const UTF8_NAMES = new Set(["utf-8", "utf8", "us-ascii", "ascii"]);
const LATIN1_NAMES = new Set(["iso-8859-1", "latin1", "iso_8859-1", "l1"]);

export type Charset = "utf8" | "latin1";

/**
 * Charset that a Content-Type names; undefined where it names none.
 *
 * @throws BodyFlaw for others than UTF-8, ASCII and latin1, and where there are several
 */
export function charsetOf(contentType: string): Charset | undefined {
  if (!contentType.includes(";")) return undefined;
  const found = [...contentType.matchAll(CHARSET)];
  if (found.length === 0) return undefined;
  const [, quoted, bare] = found[0]!;
  if (found.length > 1) throw unsupported();
  return charsetNamed(quoted ?? bare ?? "");
}

/** @throws BodyFlaw for others than UTF-8, ASCII and latin1 */
export function charsetNamed(name: string): Charset {
  const lower = name.toLowerCase();
  if (UTF8_NAMES.has(lower)) return "utf8";
  if (LATIN1_NAMES.has(lower)) return "latin1";
  throw unsupported();
}

/** Text without a byte order mark. @throws BodyFlaw for what is not in this charset */
export function decode(bytes: Buffer, charset: Charset): string {
  if (charset === "latin1") return bytes.toString("latin1");
  if (!isUtf8(bytes)) throw new BodyFlaw("malformed", "not-utf8", "The body is not UTF-8.");
  const text = bytes.toString("utf8");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function unsupported(): BodyFlaw {
  return new BodyFlaw("unsupported", "charset", "The body's charset is not supported; send UTF-8.");
}

/** A Content-Type that says what is written: UTF-8, unless it has parameters of its own. */
export function withCharset(contentType: string): string {
  return contentType.includes(";") ? contentType : `${contentType}; charset=utf-8`;
}
