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
    return { data: new JsonParser(bare).document(), mistakes: [], locate };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { message, hint, offset } = error;
    return { data: undefined, mistakes: [{ ...placeOf(bare, offset), message, hint }], locate };
  }
}

class JsonParser {
  private readonly text: string;
  private at: number;

  constructor(text: string) {
    this.text = text;
    this.at = 0;
  }

  document(): unknown {
    const value = this.parseValue(0);
    this.skipBlank();
    if (this.at < this.text.length) throw this.fault("text after the end of the document");
    return value;
  }

  private parseValue(depth: number): unknown {
    this.skipBlank();
    const char = this.text[this.at];
    if (char === '"') return this.parseString();
    if (char === "{" || char === "[") {
      if (depth === DEPTH_MAX) throw this.fault(`more than ${DEPTH_MAX} levels deep`);
      return char === "{" ? this.parseMap(depth + 1) : this.parseList(depth + 1);
    }
    return this.parseBare();
  }

  private parseMap(depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    this.at += 1;
    if (this.closes("}")) return map;
    for (;;) {
      this.skipBlank();
      const keyAt = this.at;
      if (this.text[this.at] !== '"') throw this.unexpected("a key in double quotes");
      const key = this.parseString();
      if (Object.hasOwn(map, key)) {
        const message = `the key ${JSON.stringify(key)} stands here twice`;
        throw new JsonFault(keyAt, message, "merge the two");
      }
      this.skipBlank();
      if (this.text[this.at] !== ":") throw this.unexpected("a colon after the key");
      this.at += 1;
      const value = this.parseValue(depth);
      // Plain assignment of this one key would change the prototype instead.
      if (key === "__proto__") {
        Object.defineProperty(map, key, { value, enumerable: true, writable: true });
      } else {
        map[key] = value;
      }
      if (this.endsAfter("}")) return map;
    }
  }

  private parseList(depth: number): unknown[] {
    const list: unknown[] = [];
    this.at += 1;
    if (this.closes("]")) return list;
    for (;;) {
      list.push(this.parseValue(depth));
      if (this.endsAfter("]")) return list;
    }
  }

  /** True at the closing bracket, false past a comma with something behind it. */
  private endsAfter(close: string): boolean {
    if (this.closes(close)) return true;
    if (this.text[this.at] !== ",") throw this.unexpected(`a comma or ${close}`);
    const commaAt = this.at;
    this.at += 1;
    if (!this.closes(close)) return false;
    throw new JsonFault(commaAt, `a comma before ${close}`, "drop the comma");
  }

  private closes(close: string): boolean {
    this.skipBlank();
    if (this.text[this.at] !== close) return false;
    this.at += 1;
    return true;
  }

  private parseString(): string {
    const start = this.at;
    for (this.at += 1; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code === 0x5c) this.at += 1;
      else if (code < 0x20) throw this.fault("a line break or control character in a string");
      else if (code === 0x22) {
        this.at += 1;
        return this.unescaped(start);
      }
    }
    throw new JsonFault(start, "a string without its closing quote");
  }

  private unescaped(start: number): string {
    const raw = this.text.slice(start, this.at);
    if (!raw.includes("\\")) return raw.slice(1, -1);
    try {
      return JSON.parse(raw) as string;
    } catch {
      throw new JsonFault(start, "a string with an escape JSON does not have", "write \\\\ for \\");
    }
  }

  private parseBare(): unknown {
    const word = /[\w.+-]*/y;
    word.lastIndex = this.at;
    const written = word.exec(this.text)?.[0] ?? "";
    if (written === "") throw this.unexpected("a value");
    if (!/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(written)) {
      throw this.fault(`${written} is not a JSON value`, "put text in double quotes");
    }
    this.at += written.length;
    return JSON.parse(written) as unknown;
  }

  private skipBlank(): void {
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    }
    if (this.text[this.at] === "#" || /^\/[/*]/.test(this.text.slice(this.at, this.at + 2))) {
      throw this.fault("JSON has no comments", "drop it, or write YAML");
    }
  }

  private unexpected(expected: string): JsonFault {
    const found =
      this.at < this.text.length ? JSON.stringify(this.text[this.at]) : "the end of the file";
    return this.fault(`expected ${expected}, found ${found}`);
  }

  private fault(message: string, hint?: string): JsonFault {
    return new JsonFault(this.at, message, hint);
  }
}
