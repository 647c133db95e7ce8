/** multipart-parts: reads multipart/form-data (RFC 7578) so that no other reader can take it for something else. */

export interface Part {
  readonly name: string;
  /** Of its Content-Type as sent; "" for none. */
  readonly contentType: string;
  readonly content: Buffer;
}

export type PartsRead =
  | { readonly parts: readonly Part[]; readonly flaw?: undefined }
  | { readonly flaw: string };

const PARTS_MAX = 1000;
const HEAD_BYTES_MAX = 4096;
const LINE_END = "\r\n";
const CR = 0x0d;
const LF = 0x0a;

/** RFC 2046, section 5.1.1. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/** @returns the parts in their order, or what is wrong as the end of a sentence */
export function readParts(body: Buffer, boundary: string): PartsRead {
  if (!BOUNDARY.test(boundary)) return { flaw: "has a boundary that is not allowed" };
  const delimiter = Buffer.from(`--${boundary}`, "latin1");
  // Text before the first part and after the last is skipped by some readers, and a part to others.
  if (body.indexOf(delimiter) !== 0) return { flaw: "must begin with its boundary" };
  const parts: Part[] = [];
  for (let at = delimiter.length; ;) {
    const mark = body.toString("latin1", at, at + 2);
    if (mark === "--") return isEnd(body, at + 2) ? { parts } : { flaw: "goes on after its end" };
    if (mark !== LINE_END) return { flaw: "has its boundary within a longer line" };
    if (parts.length === PARTS_MAX) return { flaw: `has more than ${PARTS_MAX} parts` };
    const end = lineEndBefore(body, delimiter, at + 2);
    if (end === -1) return { flaw: "has no end" };
    // Some readers take half an end of a line for a whole one.
    if (body.toString("latin1", end - 1, end + 1) !== LINE_END) {
      return { flaw: "has its boundary after half an end of a line" };
    }
    const part = readPart(body.subarray(at + 2, Math.max(end - 1, at + 2)));
    if (typeof part === "string") return { flaw: part };
    parts.push(part);
    at = end + 1 + delimiter.length;
  }
}

/** Index of the CR or LF that the next delimiter follows; -1 for none. */
function lineEndBefore(body: Buffer, delimiter: Buffer, from: number): number {
  let at = body.indexOf(delimiter, from);
  while (at !== -1 && body[at - 1] !== CR && body[at - 1] !== LF) {
    at = body.indexOf(delimiter, at + 1);
  }
  return at === -1 ? -1 : at - 1;
}

function isEnd(body: Buffer, at: number): boolean {
  return at === body.length || (at + 2 === body.length && body.toString("latin1", at) === LINE_END);
}

function readPart(bytes: Buffer): Part | string {
  const headEnd = bytes.subarray(0, HEAD_BYTES_MAX).indexOf("\r\n\r\n");
  if (headEnd === -1)
    return "has a part without an end of its header, or with one that is too long";
  const fields = readFields(bytes.toString("latin1", 0, headEnd));
  if (typeof fields === "string") return fields;
  const name = nameIn(fields.get("content-disposition") ?? "");
  if (name === undefined)
    return "has a part whose Content-Disposition names no field, or not clearly";
  const coding = fields.get("content-transfer-encoding")?.toLowerCase() ?? "binary";
  if (!["7bit", "8bit", "binary"].includes(coding)) {
    return "has a part with a Content-Transfer-Encoding, which forms do not have";
  }
  const contentType = fields.get("content-type") ?? "";
  return { name, contentType, content: bytes.subarray(headEnd + 4) };
}

const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)$/;

function readFields(head: string): Map<string, string> | string {
  const fields = new Map<string, string>();
  for (const line of head.split(LINE_END)) {
    const [, name = "", value = ""] = FIELD.exec(line) ?? [];
    if (name === "") return "has a part with a malformed header";
    const key = name.toLowerCase();
    if (fields.has(key)) return "has a part with the same header twice";
    fields.set(key, value.trimEnd());
  }
  return fields;
}

/**
 * Readers do not agree on a backslash, on two of one parameter and on `filename*`, which RFC 7578, section 4.2
 * forbids: what one of them takes for a name is to another the end of it.
 */
const DISPOSITION =
  /^form-data;[ \t]*name=(?:"([^"\\]*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z]+))(?:;[ \t]*filename=(?:"[^"\\]*"|[!#$%&'*+\-.^_`|~0-9A-Za-z]+))?$/i;

function nameIn(disposition: string): string | undefined {
  const [, quoted, token] = DISPOSITION.exec(disposition) ?? [];
  const raw = quoted ?? token;
  return raw === undefined ? undefined : utf8Of(Buffer.from(raw, "latin1"));
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Undefined for bytes that are no UTF-8. */
export function utf8Of(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
