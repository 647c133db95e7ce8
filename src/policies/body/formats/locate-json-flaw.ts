const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK = 0x20;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y;

/**
 * Where a text stops being JSON, or gives a name to a map that it has already: the parser does not tell. Only for
 * texts that have been refused, of no more levels than bodies may have.
 */
export function locateJsonFlaw(text: string): string {
  const reader = new FlawReader(text);
  reader.read();
  const before = text.slice(0, reader.at);
  const line = before.split("\n").length;
  return `line ${line}, column ${reader.at - before.lastIndexOf("\n")}`;
}

/** Each method is false where it has met the flaw, at `at`. */
class FlawReader {
  at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  read(): boolean {
    return this.value() && this.at === this.text.length;
  }

  private value(): boolean {
    this.skipBlanks();
    const { text, at } = this;
    let isFine = false;
    if (text[at] === "{") isFine = this.members("}", new Set());
    else if (text[at] === "[") isFine = this.members("]", null);
    else isFine = text[at] === '"' ? this.string() : this.matches(SCALAR);
    if (isFine) this.skipBlanks();
    return isFine;
  }

  /** @param names that the map has so far; null for a list */
  private members(end: "}" | "]", names: Set<string> | null): boolean {
    this.at++;
    this.skipBlanks();
    if (this.takes(end)) return true;
    for (;;) {
      if (names !== null && !this.name(names)) return false;
      if (!this.value()) return false;
      if (this.takes(end)) return true;
      if (!this.takes(",")) return false;
    }
  }

  private name(names: Set<string>): boolean {
    this.skipBlanks();
    const start = this.at;
    if (this.text[start] !== '"' || !this.string()) return false;
    const name = JSON.parse(this.text.slice(start, this.at)) as string;
    if (names.has(name) || name === "__proto__") {
      this.at = start;
      return false;
    }
    names.add(name);
    this.skipBlanks();
    return this.takes(":");
  }

  private string(): boolean {
    const { text } = this;
    for (this.at++; this.at < text.length; this.at++) {
      const code = text.charCodeAt(this.at);
      if (code < BLANK) return false;
      if (code === BACKSLASH) {
        if (!this.matches(ESCAPE)) return false;
        this.at--;
      } else if (code === QUOTE) {
        this.at++;
        return true;
      }
    }
    return false;
  }

  private takes(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  private skipBlanks(): void {
    const { text } = this;
    while (this.at < text.length && " \t\n\r".includes(text[this.at]!)) this.at++;
  }
}
