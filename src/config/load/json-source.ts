import { placeOf, type DocumentSource } from "./document-source.ts";
import { literalPositions } from "./literal-positions.ts";

/** Deeper documents are refused: no configuration nests like that, and the stack is finite. */
const DEPTH_MAX = 200;

class JsonFault extends Error {
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(offset: number, message: string, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

/**
 * Reads JSON (RFC 8259). Own parser, because the platform's takes a key twice in silence and says
 * little about comments and closing commas. Places are looked up only when a mistake needs one.
 */
export function readJson(text: string): DocumentSource {
  const bare = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  let positions: ReturnType<typeof literalPositions> | undefined;
  const locate: DocumentSource["locate"] = (path, atKey) => {
    positions ??= literalPositions(bare, 0);
    return placeOf(bare, positions(path, atKey));
  };
  try {
    return { data: parseJson(bare), mistakes: [], locate };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { message, hint, offset } = error;
    return { data: undefined, mistakes: [{ ...placeOf(bare, offset), message, hint }], locate };
  }
}

function parseJson(text: string): unknown {
  let at = 0;
  const value = parseValue(0);
  skipBlank();
  if (at < text.length) throw new JsonFault(at, "text after the end of the document");
  return value;

  function parseValue(depth: number): unknown {
    skipBlank();
    const char = text[at];
    if (char === '"') return parseString();
    if (char === "{" || char === "[") {
      if (depth === DEPTH_MAX) throw new JsonFault(at, `more than ${DEPTH_MAX} levels deep`);
      return char === "{" ? parseMap(depth + 1) : parseList(depth + 1);
    }
    return parseBare();
  }

  function parseMap(depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    at += 1;
    if (closes("}")) return map;
    for (;;) {
      skipBlank();
      const keyAt = at;
      if (text[at] !== '"') throw unexpected("a key in double quotes");
      const key = parseString();
      if (Object.hasOwn(map, key)) {
        throw new JsonFault(
          keyAt,
          `the key ${JSON.stringify(key)} stands here twice`,
          "merge the two",
        );
      }
      skipBlank();
      if (text[at] !== ":") throw unexpected("a colon after the key");
      at += 1;
      const value = parseValue(depth);
      // Plain assignment of this one key would change the prototype instead.
      if (key === "__proto__") {
        Object.defineProperty(map, key, { value, enumerable: true, writable: true });
      } else {
        map[key] = value;
      }
      if (endsAfter("}")) return map;
    }
  }

  function parseList(depth: number): unknown[] {
    const list: unknown[] = [];
    at += 1;
    if (closes("]")) return list;
    for (;;) {
      list.push(parseValue(depth));
      if (endsAfter("]")) return list;
    }
  }

  /** True at the closing bracket, false past a comma with something behind it. */
  function endsAfter(close: string): boolean {
    if (closes(close)) return true;
    if (text[at] !== ",") throw unexpected(`a comma or ${close}`);
    const commaAt = at;
    at += 1;
    if (closes(close)) throw new JsonFault(commaAt, `a comma before ${close}`, "drop the comma");
    return false;
  }

  function closes(close: string): boolean {
    skipBlank();
    if (text[at] !== close) return false;
    at += 1;
    return true;
  }

  function parseString(): string {
    const start = at;
    for (at += 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x5c) at += 1;
      else if (code < 0x20)
        throw new JsonFault(at, "a line break or control character in a string");
      else if (code === 0x22) {
        at += 1;
        return unescaped(start);
      }
    }
    throw new JsonFault(start, "a string without its closing quote");
  }

  function unescaped(start: number): string {
    const raw = text.slice(start, at);
    if (!raw.includes("\\")) return raw.slice(1, -1);
    try {
      return JSON.parse(raw) as string;
    } catch {
      throw new JsonFault(start, "a string with an escape JSON does not have", "write \\\\ for \\");
    }
  }

  function parseBare(): unknown {
    const word = /[\w.+-]*/y;
    word.lastIndex = at;
    const written = word.exec(text)?.[0] ?? "";
    if (written === "") throw unexpected("a value");
    if (!/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(written)) {
      throw new JsonFault(at, `${written} is not a JSON value`, "put text in double quotes");
    }
    at += written.length;
    return JSON.parse(written) as unknown;
  }

  function skipBlank(): void {
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    }
    if (text[at] === "/" && (text[at + 1] === "/" || text[at + 1] === "*")) {
      throw new JsonFault(at, "a comment; JSON has none", "drop it, or write gateward.yaml");
    }
    if (text[at] === "#") throw new JsonFault(at, "a comment; JSON has none", "drop it");
  }

  function unexpected(expected: string): JsonFault {
    const found = at < text.length ? JSON.stringify(text[at]) : "the end of the file";
    return new JsonFault(at, `expected ${expected}, found ${found}`);
  }
}
