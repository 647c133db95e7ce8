/** functions: what expressions can call beside the standard library and its strings extension. */
import { TrustedAddresses } from "../../base/trusted-addresses.ts";
import type { CelFunc, CelLibrary, LinearPattern } from "./cel-library.ts";

export const MATCHES = "matches";
export const IN_RANGE = "inRange";

/** Patterns and ranges that come from elsewhere than the expression can only make the memory start anew. */
const REMEMBERED_MAX = 1000;
/** Characters of one of them: time and memory of a pattern grow with it. */
const REMEMBERED_LENGTH_MAX = 1000;

/** `text.matches(pattern)` with the pattern compiled once, and `inRange(address, range or ranges)`. */
export function ownFunctions({ cel, compilePattern }: CelLibrary): CelFunc[] {
  const { BOOL, STRING, DYN } = cel.CelScalar;
  const patterns = new Remembered<LinearPattern>(compilePattern);
  const ranges = new Remembered((range) => new TrustedAddresses([range]));
  const isIn = (address: string, range: string): boolean => ranges.get(range).has(address);
  return [
    cel.celMethod(MATCHES, STRING, [STRING], BOOL, function (this: string, pattern) {
      return patterns.get(pattern).test(this);
    }),
    cel.celFunc(MATCHES, [STRING, STRING], BOOL, (text, pattern) => {
      return patterns.get(pattern).test(text);
    }),
    cel.celFunc(IN_RANGE, [STRING, STRING], BOOL, isIn),
    cel.celFunc(IN_RANGE, [STRING, cel.listType(DYN)], BOOL, (address, list) => {
      for (const range of list) {
        if (typeof range !== "string") throw new Error("an address range is a text");
        if (isIn(address, range)) return true;
      }
      return false;
    }),
  ];
}

class Remembered<Value> {
  private readonly values: Map<string, Value>;
  private readonly make: (text: string) => Value;

  constructor(make: (text: string) => Value) {
    this.values = new Map();
    this.make = make;
  }

  get(text: string): Value {
    let value = this.values.get(text);
    if (value === undefined) {
      if (text.length > REMEMBERED_LENGTH_MAX) throw new Error("the pattern or range is too long");
      value = this.make(text);
      if (this.values.size >= REMEMBERED_MAX) this.values.clear();
      this.values.set(text, value);
    }
    return value;
  }
}
