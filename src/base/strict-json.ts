import { isUtf8 } from "node:buffer";

const DEPTH_MAX = 16;
const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a JSON object that a stranger wrote, such as the claims of a token. Refused, beside what is no
 * object: text that is not UTF-8; a name that stands twice in one object, because two readers may take
 * different ones; `__proto__` as a name, because a careless copy would make it a prototype; nesting
 * deeper than 16. The result is frozen through and through, so that many may hold it.
 *
 * @returns null for what is refused
 */
export function parseStrictJson(bytes: Uint8Array): JsonObject | null {
  const read = readStrictJson(bytes, DEPTH_MAX);
  if (read.flaw !== undefined) return null;
  const { value } = read;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  freeze(value);
  return value as JsonObject;
}

/** Why text is refused: a sentence's end that begins with a verb. */
export type JsonFlaw =
  | "is not UTF-8"
  | "is not JSON"
  | "is nested too deeply"
  | "has a name twice in one object"
  | "has the name __proto__";

export type StrictJson = { value: unknown; flaw?: undefined } | { flaw: JsonFlaw };

/**
 * Reads JSON that a stranger wrote, of whatever kind, by the same rules as `parseStrictJson`.
 *
 * @param depthMax how deeply objects and lists may be nested
 */
export function readStrictJson(bytes: Uint8Array, depthMax: number): StrictJson {
  if (!isUtf8(bytes)) return { flaw: "is not UTF-8" };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { flaw: "is not JSON" };
  }
  if (typeof value !== "object" || value === null) return { value };
  const kept = new KeptNames(depthMax);
  const flaw = kept.flawIn(value, 0);
  if (flaw !== undefined) return { flaw };
  // Of a name that stands twice only the last is kept.
  return namesIn(text) === kept.count ? { value } : { flaw: "has a name twice in one object" };
}

/** How many members the objects of a value have, by far faster than to gather the names of each as they are read. */
class KeptNames {
  count = 0;
  private readonly depthMax: number;

  constructor(depthMax: number) {
    this.depthMax = depthMax;
  }

  /** @param depth of lists and objects around it */
  flawIn(value: object, depth: number): JsonFlaw | undefined {
    if (depth === this.depthMax) return "is nested too deeply";
    if (Array.isArray(value)) return this.flawInList(value, depth + 1);
    // Own ones only: what a stranger's code has added to the prototype does not count.
    const names = Object.keys(value);
    this.count += names.length;
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      if (name === "__proto__") return "has the name __proto__";
      const part = (value as Record<string, unknown>)[name];
      if (typeof part !== "object" || part === null) continue;
      const flaw = this.flawIn(part, depth + 1);
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  }

  private flawInList(list: readonly unknown[], depth: number): JsonFlaw | undefined {
    for (let index = 0; index < list.length; index++) {
      const part = list[index];
      if (typeof part !== "object" || part === null) continue;
      const flaw = this.flawIn(part, depth);
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  }
}

/** Names in `text`, which is JSON: each has a colon behind it, and no other stands outside of strings. */
function namesIn(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) index = endOfString(text, index);
    else if (code === COLON) count++;
  }
  return count;
}

/** Index of the quote that ends the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  for (let code = text.charCodeAt(index); code !== QUOTE; code = text.charCodeAt(index)) {
    index += code === BACKSLASH ? 2 : 1;
  }
  return index;
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}
