// HOT
/**
 * A deterministic automaton: tells whether a range of a text is in a regular language, at one table
 * look-up for each character, without allocation, whatever the expression and the text are.
 */
export class Dfa {
  /** `next[state * classCount + class]`; state 0 is the dead one, 1 the start. */
  readonly next: Uint16Array;
  readonly accepting: Uint8Array;
  readonly classCount: number;
  /** Class of each code unit below 256. */
  readonly classOf: Uint16Array;
  /** First code unit of each run of one class, and that class; for code units from 256 on. */
  readonly runStarts: Uint16Array;
  readonly runClasses: Uint16Array;

  constructor(
    next: Uint16Array,
    accepting: Uint8Array,
    runStarts: Uint16Array,
    runClasses: Uint16Array,
    classCount: number,
  ) {
    this.next = next;
    this.accepting = accepting;
    this.runStarts = runStarts;
    this.runClasses = runClasses;
    this.classCount = classCount;
    this.classOf = new Uint16Array(256);
    for (let code = 0; code < 256; code++) this.classOf[code] = this.wideClassOf(code);
  }

  /** Whether the whole of `text[start, end)` is in the language. */
  test(text: string, start: number, end: number): boolean {
    const { next, classOf, classCount } = this;
    let state = 1;
    for (let index = start; index < end; index++) {
      const code = text.charCodeAt(index);
      const charClass = code < 256 ? classOf[code]! : this.wideClassOf(code);
      state = next[state * classCount + charClass]!;
      if (state === 0) return false;
    }
    return this.accepting[state] === 1;
  }

  /** The class of any code unit, by binary search. */
  wideClassOf(code: number): number {
    let low = 0;
    let high = this.runStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.runStarts[middle]! <= code) low = middle;
      else high = middle - 1;
    }
    return this.runClasses[low]!;
  }
}
