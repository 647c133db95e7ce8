// HOT
import type { FieldBlock } from "./field-block.ts";
import { HOP_BY_HOP, OTHER, knownHeaderId } from "./known-header.ts";

const FIELDS_INITIAL = 32;
const NOT_A_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The field lines of one message: the text they came in, and where each name and value lies in it.
 *
 *     text   GET / HTTP/1.1\r\nHost: a.example\r\nAccept:  text/html \r\n\r\n
 *     spans                   ^   ^ ^        ^
 *                     nameStart   | valueStart valueEnd      (four numbers a field)
 *                           nameEnd
 *
 * Nothing is copied while parsing. Fields that must not pass are marked removed; fields that are
 * added live in `extraNames` / `extraValues`. An object is reused for message after message.
 */
export class Fields {
  text: string;
  count: number;
  /** Where the field lines begin and where the empty line after them begins, in `text`. */
  linesStart: number;
  linesEnd: number;
  spans: Int32Array;
  ids: Uint8Array;
  removed: Uint8Array;
  /** True once any field is marked removed: without one, all lines pass as a single slice. */
  anyRemoved: boolean;
  /** Bit `id` is set once a field with that known id has come: absence is told without a look. */
  seen: number;
  extraCount: number;
  readonly extraNames: string[];
  readonly extraValues: string[];
  /** What was made ready has been loaded; `spans` and `ids` are its own and are not written to. */
  private block: FieldBlock | null;
  private ownSpans: Int32Array;
  private ownIds: Uint8Array;

  constructor() {
    this.text = "";
    this.count = 0;
    this.linesStart = 0;
    this.linesEnd = 0;
    this.spans = new Int32Array(FIELDS_INITIAL * 4);
    this.ids = new Uint8Array(FIELDS_INITIAL);
    this.removed = new Uint8Array(FIELDS_INITIAL);
    this.anyRemoved = false;
    this.seen = 0;
    this.extraCount = 0;
    this.extraNames = [];
    this.extraValues = [];
    this.block = null;
    this.ownSpans = this.spans;
    this.ownIds = this.ids;
  }

  clear(): void {
    this.text = "";
    this.count = 0;
    this.linesStart = 0;
    this.linesEnd = 0;
    this.anyRemoved = false;
    this.seen = 0;
    this.extraCount = 0;
    this.unload();
  }

  private unload(): void {
    if (this.block === null) return;
    this.block = null;
    this.spans = this.ownSpans;
    this.ids = this.ownIds;
  }

  /** Takes lines that were made ready; it has to be clear. */
  load(block: FieldBlock): void {
    const { count } = block;
    while (this.ids.length < count) this.grow();
    this.block = block;
    this.text = block.text;
    this.count = count;
    this.linesStart = block.linesStart;
    this.linesEnd = block.linesEnd;
    this.spans = block.spans;
    this.ids = block.ids;
    const { removed } = this;
    // A call would cost more than so few lines.
    for (let index = 0; index < count; index++) removed[index] = 0;
    this.seen = block.seen;
  }

  /** `text` is a whole message with its body, and no line of it has been changed. */
  get isMessage(): boolean {
    return this.block !== null && this.block.isMessage && !this.anyRemoved && this.extraCount === 0;
  }

  /** Takes all that `other` has. Cold. */
  copy(other: Fields): void {
    const { count, extraCount } = other;
    this.unload();
    while (this.ids.length < count) this.grow();
    this.text = other.text;
    this.count = count;
    this.linesStart = other.linesStart;
    this.linesEnd = other.linesEnd;
    this.spans.set(other.spans.subarray(0, count * 4));
    this.ids.set(other.ids.subarray(0, count));
    this.removed.set(other.removed.subarray(0, count));
    this.anyRemoved = other.anyRemoved;
    this.seen = other.seen;
    this.extraCount = extraCount;
    for (let index = 0; index < extraCount; index++) {
      this.extraNames[index] = other.extraNames[index]!;
      this.extraValues[index] = other.extraValues[index]!;
    }
  }

  /** Called by the parser for each line; offsets count from the start of `text`. */
  push(id: number, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const index = this.count++;
    if (index === this.ids.length) this.grow();
    const spans = this.spans;
    const at = index << 2;
    spans[at] = nameStart;
    spans[at + 1] = nameEnd;
    spans[at + 2] = valueStart;
    spans[at + 3] = valueEnd;
    this.ids[index] = id;
    this.seen |= 1 << id;
    const hop = HOP_BY_HOP[id]!;
    this.removed[index] = hop;
    if (hop === 1) this.anyRemoved = true;
  }

  private grow(): void {
    const capacity = this.ids.length * 2;
    const spans = new Int32Array(capacity * 4);
    spans.set(this.spans);
    this.spans = spans;
    this.ownSpans = spans;
    const ids = new Uint8Array(capacity);
    ids.set(this.ids);
    this.ids = ids;
    this.ownIds = ids;
    const removed = new Uint8Array(capacity);
    removed.set(this.removed);
    this.removed = removed;
  }

  /** The value of the field at `index`, as it came. */
  valueAt(index: number): string {
    const at = index << 2;
    return this.text.slice(this.spans[at + 2], this.spans[at + 3]);
  }

  nameAt(index: number): string {
    const at = index << 2;
    return this.text.slice(this.spans[at], this.spans[at + 1]);
  }

  /** Index of the first field with this known id that still stands, or -1. */
  indexOfId(id: number): number {
    if ((this.seen & (1 << id)) === 0) return -1;
    const ids = this.ids;
    for (let index = 0; index < this.count; index++) {
      if (ids[index] === id && this.removed[index] === 0) return index;
    }
    return -1;
  }

  /** Index at or after `from` of a standing field with this lower-case name, or -1. */
  private indexOf(name: string, id: number, from: number): number {
    if (id !== OTHER && (this.seen & (1 << id)) === 0) return -1;
    const spans = this.spans;
    for (let index = from; index < this.count; index++) {
      if (this.removed[index] !== 0) continue;
      if (id !== OTHER) {
        if (this.ids[index] === id) return index;
        continue;
      }
      const at = index << 2;
      const start = spans[at]!;
      if (spans[at + 1]! - start === name.length && this.equalsLower(start, name)) return index;
    }
    return -1;
  }

  private equalsLower(start: number, name: string): boolean {
    const text = this.text;
    for (let at = 0; at < name.length; at++) {
      let code = text.charCodeAt(start + at);
      if (code >= 0x41 && code <= 0x5a) code |= 0x20;
      if (code !== name.charCodeAt(at)) return false;
    }
    return true;
  }

  /**
   * The value of a field by lower-case name; several lines of one name are joined with ", "
   * (RFC 9110 section 5.3), Cookie lines with "; " (RFC 9113 section 8.2.3). Undefined if absent.
   */
  get(name: string): string | undefined {
    const id = knownHeaderId(name);
    let value: string | undefined;
    const separator = name === "cookie" ? "; " : ", ";
    for (
      let index = this.indexOf(name, id, 0);
      index >= 0;
      index = this.indexOf(name, id, index + 1)
    ) {
      value = value === undefined ? this.valueAt(index) : value + separator + this.valueAt(index);
    }
    for (let index = 0; index < this.extraCount; index++) {
      if (this.extraNames[index] !== name) continue;
      const extra = this.extraValues[index]!;
      value = value === undefined ? extra : value + separator + extra;
    }
    return value;
  }

  has(name: string): boolean {
    if (this.indexOf(name, knownHeaderId(name), 0) >= 0) return true;
    for (let index = 0; index < this.extraCount; index++) {
      if (this.extraNames[index] === name) return true;
    }
    return false;
  }

  removeAt(index: number): void {
    this.removed[index] = 1;
    this.anyRemoved = true;
  }

  removeId(id: number): void {
    if ((this.seen & (1 << id)) === 0) return;
    const ids = this.ids;
    for (let index = 0; index < this.count; index++) {
      if (ids[index] === id) this.removeAt(index);
    }
  }

  /** Removes every line with this lower-case name. */
  remove(name: string): void {
    const id = knownHeaderId(name);
    for (
      let index = this.indexOf(name, id, 0);
      index >= 0;
      index = this.indexOf(name, id, index + 1)
    ) {
      this.removeAt(index);
    }
    let kept = 0;
    for (let index = 0; index < this.extraCount; index++) {
      if (this.extraNames[index] === name) continue;
      this.extraNames[kept] = this.extraNames[index]!;
      this.extraValues[kept] = this.extraValues[index]!;
      kept++;
    }
    this.extraCount = kept;
  }

  /**
   * Gives every line of this lower-case name the name `to`, in lower case; what stood under that is removed.
   * Nothing happens where there is no line to rename.
   */
  rename(name: string, to: string): void {
    if (name === to || !this.has(name)) return;
    this.remove(to);
    const own = this.extraCount;
    const id = knownHeaderId(name);
    for (
      let index = this.indexOf(name, id, 0);
      index >= 0;
      index = this.indexOf(name, id, index + 1)
    ) {
      this.add(to, this.valueAt(index));
      this.removeAt(index);
    }
    for (let index = 0; index < own; index++) {
      if (this.extraNames[index] === name) this.extraNames[index] = to;
    }
  }

  /** Removes every line whose name begins so, in lower case. */
  removePrefixed(prefix: string): void {
    const { spans } = this;
    for (let index = 0; index < this.count; index++) {
      const start = spans[index << 2]!;
      if (spans[(index << 2) + 1]! - start < prefix.length) continue;
      if (this.equalsLower(start, prefix)) this.removeAt(index);
    }
    let kept = 0;
    for (let index = 0; index < this.extraCount; index++) {
      if (this.extraNames[index]!.startsWith(prefix)) continue;
      this.extraNames[kept] = this.extraNames[index]!;
      this.extraValues[kept] = this.extraValues[index]!;
      kept++;
    }
    this.extraCount = kept;
  }

  /**
   * Adds a line; the name is a token in lower case.
   *
   * @throws TypeError for a value that would end the line, also as a character above U+00FF whose low
   *   byte would. Whoever puts text of others into a field has to encode it first.
   */
  add(name: string, value: string): void {
    if (NOT_A_VALUE.test(value))
      throw new TypeError(`the value for ${name} cannot stand in a field`);
    this.extraNames[this.extraCount] = name;
    this.extraValues[this.extraCount] = value;
    this.extraCount++;
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.add(name, value);
  }

  /**
   * The standing lines as they go on the wire, each ended by CRLF, without the empty line.
   *
   * @param from where in `text` to begin: `linesStart`, or 0 to send the start line along as it came.
   */
  lines(from: number): string {
    let out = this.anyRemoved ? this.keptLines(from) : this.text.slice(from, this.linesEnd);
    for (let index = 0; index < this.extraCount; index++) {
      out += this.extraNames[index]! + ": " + this.extraValues[index]! + "\r\n";
    }
    return out;
  }

  /** Neighbouring lines that stand are taken as one slice: usually there are one or two slices. */
  private keptLines(from: number): string {
    const { spans, removed, count, text } = this;
    let out = "";
    let start = from;
    for (let index = 0; index < count; index++) {
      if (removed[index] === 0) continue;
      const lineStart = spans[index << 2]!;
      if (lineStart > start) out += text.slice(start, lineStart);
      start = index + 1 < count ? spans[(index + 1) << 2]! : this.linesEnd;
    }
    return start < this.linesEnd ? out + text.slice(start, this.linesEnd) : out;
  }

  /** Calls `visit` for each standing field, in order, names as they came. Cold: HTTP/2, logs, policies. */
  each(visit: (name: string, value: string, id: number) => void): void {
    for (let index = 0; index < this.count; index++) {
      if (this.removed[index] === 0)
        visit(this.nameAt(index), this.valueAt(index), this.ids[index]!);
    }
    for (let index = 0; index < this.extraCount; index++) {
      const name = this.extraNames[index]!;
      visit(name, this.extraValues[index]!, knownHeaderId(name));
    }
  }
}
