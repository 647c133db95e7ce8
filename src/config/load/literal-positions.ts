import type { DocumentPath } from "../mistake.ts";

/** Offsets of a value and, for maps and lists, of what is in them. */
interface Position {
  offset: number;
  keyOffset: number;
  children: Map<string | number, Position>;
}

type Locate = (path: DocumentPath, atKey: boolean) => number;

/**
 * Where the parts of an object literal stand, for JSON and for TypeScript. It reads literals only
 * and steps over every other expression, so a path through a call, a spread or a variable ends at
 * the last part it could see. Never fails: what it cannot read is merely less exact.
 */
export function literalPositions(text: string, start: number): Locate {
  const scanner = new LiteralScanner(text, start);
  const root = scanner.value(start);
  return (path, atKey) => {
    let position = root;
    for (const [depth, part] of path.entries()) {
      const child = position.children.get(part);
      if (child === undefined) return position.offset;
      position = child;
      if (atKey && depth === path.length - 1) return position.keyOffset;
    }
    return position.offset;
  };
}

class LiteralScanner {
  readonly text: string;
  at: number;

  constructor(text: string, start: number) {
    this.text = text;
    this.at = start;
  }

  /** Reads one value and stops before the comma or bracket behind it. */
  value(keyOffset: number): Position {
    this.skipBlank();
    const position: Position = { offset: this.at, keyOffset, children: new Map() };
    const char = this.text[this.at];
    if (char === "{") this.map(position);
    else if (char === "[") this.list(position);
    this.skipBlank();
    // `{ … } as const` is still the literal; `[ … ].map(…)` is something else.
    const isWhole = /^([,}\]);]|as\b|satisfies\b|$)/.test(this.text.slice(this.at, this.at + 10));
    if (!isWhole) position.children.clear();
    this.skipExpression();
    return position;
  }

  map(position: Position): void {
    this.at += 1;
    for (;;) {
      this.skipBlank();
      if (this.ends("}")) return;
      const keyOffset = this.at;
      const key = this.key();
      this.skipBlank();
      if (key !== undefined && this.text[this.at] === ":") {
        this.at += 1;
        this.skipBlank();
        position.children.set(key, this.value(keyOffset));
      } else {
        // Shorthand (`services,`), a spread, a method or a computed key.
        this.skipExpression();
        if (key !== undefined) {
          position.children.set(key, { offset: keyOffset, keyOffset, children: new Map() });
        }
      }
      if (this.text[this.at] === ",") this.at += 1;
      else if (!this.ends("}")) return;
      else return;
    }
  }

  list(position: Position): void {
    this.at += 1;
    let isExact = true;
    for (let index = 0; ; index++) {
      this.skipBlank();
      if (this.ends("]")) return;
      // After a spread nobody knows the indexes.
      if (this.text.startsWith("...", this.at)) isExact = false;
      const element = this.value(this.at);
      if (isExact) position.children.set(index, element);
      if (this.text[this.at] !== ",") {
        this.ends("]");
        return;
      }
      this.at += 1;
    }
  }

  /** A name, number or string before a colon; undefined for anything else. */
  key(): string | undefined {
    const char = this.text[this.at];
    if (char === '"' || char === "'") {
      const start = this.at;
      this.skipString(char);
      const raw = this.text.slice(start + 1, this.at - 1);
      return raw.includes("\\") ? unescaped(raw) : raw;
    }
    const word = /[\w$]+/y;
    word.lastIndex = this.at;
    const name = word.exec(this.text)?.[0];
    if (name !== undefined) this.at += name.length;
    return name;
  }

  ends(close: string): boolean {
    if (this.at >= this.text.length) return true;
    if (this.text[this.at] !== close) return false;
    this.at += 1;
    return true;
  }

  /** To the comma or closing bracket that ends the expression, over everything nested in it. */
  skipExpression(): void {
    let depth = 0;
    let before = "";
    for (;;) {
      this.skipBlank();
      const char = this.text[this.at];
      if (char === undefined) return;
      if (depth === 0 && (char === "," || char === ";")) return;
      if (char === ")" || char === "]" || char === "}") {
        if (depth === 0) return;
        depth -= 1;
      } else if (char === "(" || char === "[" || char === "{") depth += 1;
      if (char === '"' || char === "'" || char === "`") this.skipString(char);
      else if (char === "/" && /^[(,=:[!&|?{};>]?$/.test(before)) this.skipRegex();
      else this.at += 1;
      before = char;
    }
  }

  skipString(quote: string): void {
    for (this.at += 1; this.at < this.text.length; this.at++) {
      const char = this.text[this.at];
      if (char === "\\") this.at += 1;
      else if (quote === "`" && char === "$" && this.text[this.at + 1] === "{") this.skipHole();
      else if (char === quote) break;
    }
    this.at += 1;
  }

  /** `${ … }` of a template; stops on its closing brace. */
  skipHole(): void {
    this.at += 2;
    this.skipExpression();
  }

  skipRegex(): void {
    let isInClass = false;
    for (this.at += 1; this.at < this.text.length; this.at++) {
      const char = this.text[this.at];
      if (char === "\\") this.at += 1;
      else if (char === "[") isInClass = true;
      else if (char === "]") isInClass = false;
      else if (char === "\n" || (char === "/" && !isInClass)) break;
    }
    this.at += 1;
  }

  skipBlank(): void {
    const blank = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
    blank.lastIndex = this.at;
    blank.exec(this.text);
    this.at = Math.max(this.at, blank.lastIndex);
  }
}

function unescaped(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}
