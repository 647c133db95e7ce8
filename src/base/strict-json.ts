import { isUtf8 } from "node:buffer";

const DEPTH_MAX = 16;
const QUOTE = 0x22;
const COMMA = 0x2c;
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
  const flaw = flawIn(text, depthMax);
  return flaw === undefined ? { value } : { flaw };
}

/** Whether names are unique and nesting has a bound. `text` is JSON, so that braces and quotes pair up. */
function flawIn(text: string, depthMax: number): JsonFlaw | undefined {
  /** Names of each object that is open; null for a list. */
  const open: (Set<string> | null)[] = [];
  let awaitsName = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      const end = endOfString(text, index);
      if (awaitsName) {
        const flaw = addName(open.at(-1)!, text, index, end);
        if (flaw !== undefined) return flaw;
      }
      index = end;
    } else if (code === COMMA) awaitsName = open.at(-1) !== null;
    else if (code === COLON) awaitsName = false;
    // `{` and `[`, `}` and `]` differ by one bit, and nothing else of JSON looks like them.
    else if ((code | 0x20) === 0x7b) {
      if (open.length === depthMax) return "is nested too deeply";
      awaitsName = code === 0x7b;
      open.push(awaitsName ? new Set() : null);
    } else if ((code | 0x20) === 0x7d) {
      awaitsName = false;
      open.pop();
    }
  }
  return undefined;
}

/** Index of the quote that ends the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  for (let code = text.charCodeAt(index); code !== QUOTE; code = text.charCodeAt(index)) {
    index += code === BACKSLASH ? 2 : 1;
  }
  return index;
}

function addName(
  names: Set<string> | null,
  text: string,
  start: number,
  end: number,
): JsonFlaw | undefined {
  const raw = text.slice(start + 1, end);
  // The same name may be spelled with escapes.
  const name = raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
  if (name === "__proto__") return "has the name __proto__";
  if (names?.has(name) === true) return "has a name twice in one object";
  names?.add(name);
  return undefined;
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}
