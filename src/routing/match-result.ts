// HOT
import type { CompiledRule } from "./compiled-rule.ts";
import type { MethodTable } from "./method-table.ts";

/** No rule matches: 404. */
export const NOT_FOUND = 0;
export const MATCHED = 1;
/** A rule would match with another method: 405, see `allow`. */
export const METHOD_NOT_ALLOWED = 2;

// Most patterns have fewer parameters; one with more makes the array grow once.
const OFFSETS_INITIAL = 8;

/** What `Matcher` found. Made once, and filled anew by every match. */
export class MatchResult<Value> {
  /** `NOT_FOUND`, `MATCHED` or `METHOD_NOT_ALLOWED`. */
  outcome: number;
  /** The rule that applies, null unless matched. */
  rule: CompiledRule<Value> | null;
  /** The path that was matched, `text[start, end)`. */
  text: string;
  start: number;
  end: number;
  /** Parameter i is `text[offsets[2 * i], offsets[2 * i + 1])`. */
  offsets: Int32Array;
  paramCount: number;
  /** Methods that would have matched; for METHOD_NOT_ALLOWED. */
  allowMask: number;
  methods: MethodTable | null;

  constructor() {
    this.outcome = NOT_FOUND;
    this.rule = null;
    this.text = "";
    this.start = 0;
    this.end = 0;
    this.offsets = new Int32Array(OFFSETS_INITIAL);
    this.paramCount = 0;
    this.allowMask = 0;
    this.methods = null;
  }

  /** Lets go of the rule and the text, so that a result that waits does not keep them alive. */
  clear(): void {
    this.outcome = NOT_FOUND;
    this.rule = null;
    this.text = "";
    this.paramCount = 0;
    this.methods = null;
  }

  /** Takes all that `other` has. Cold. */
  copy(other: MatchResult<Value>): void {
    this.outcome = other.outcome;
    this.rule = other.rule;
    this.text = other.text;
    this.start = other.start;
    this.end = other.end;
    this.reserve(other.paramCount);
    this.offsets.set(other.offsets.subarray(0, 2 * other.paramCount));
    this.paramCount = other.paramCount;
    this.allowMask = other.allowMask;
    this.methods = other.methods;
  }

  /** The value of the rule that applies; only after MATCHED. */
  get value(): Value {
    return (this.rule as CompiledRule<Value>).value;
  }

  /** Parameter `index` from the left, as in the path: percent-encoded. */
  param(index: number): string {
    const at = 2 * index;
    return this.text.slice(this.offsets[at], this.offsets[at + 1]);
  }

  /** A parameter by name, undefined when the rule has none of that name; the rest is always `*` too. */
  paramNamed(name: string): string | undefined {
    const rule = this.rule;
    if (rule === null) return undefined;
    const names = rule.pattern.paramNames;
    for (let index = 0; index < names.length; index++) {
      if (names[index] === name) return this.param(index);
    }
    return name === "*" && rule.pattern.hasRest ? this.param(names.length - 1) : undefined;
  }

  /** The value of the Allow header for METHOD_NOT_ALLOWED. */
  get allow(): string {
    return this.methods === null ? "" : this.methods.allow(this.allowMask);
  }

  /** Makes room for the offsets of `paramCount` parameters. */
  reserve(paramCount: number): void {
    if (this.offsets.length < 2 * paramCount) this.offsets = new Int32Array(2 * paramCount);
  }
}
