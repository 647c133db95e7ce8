// HOT
import type { Dfa } from "./regex/dfa.ts";

export const VALUE_EXACT = 0;
export const VALUE_PRESENT = 1;
export const VALUE_ABSENT = 2;
export const VALUE_PREFIX = 3;
export const VALUE_REGEX = 4;
export const VALUE_NOT = 5;
export const VALUE_ANY_OF = 6;

/** One compiled condition on a value that may be absent. One class for all kinds keeps calls direct. */
export class ValueCondition {
  readonly kind: number;
  /** The text of EXACT and PREFIX, the expression of REGEX. */
  readonly text: string;
  readonly dfa: Dfa | null;
  /** What NOT negates, and what ANY_OF chooses from. */
  readonly parts: readonly ValueCondition[];

  constructor(kind: number, text: string, dfa: Dfa | null, parts: readonly ValueCondition[]) {
    this.kind = kind;
    this.text = text;
    this.dfa = dfa;
    this.parts = parts;
  }

  test(value: string | undefined): boolean {
    switch (this.kind) {
      case VALUE_EXACT:
        return value === this.text;
      case VALUE_PRESENT:
        return value !== undefined;
      case VALUE_ABSENT:
        return value === undefined;
      case VALUE_PREFIX:
        return value !== undefined && value.startsWith(this.text);
      case VALUE_REGEX:
        return value !== undefined && (this.dfa as Dfa).test(value, 0, value.length);
      case VALUE_NOT:
        return !this.parts[0]!.test(value);
      default:
        for (let index = 0; index < this.parts.length; index++) {
          if (this.parts[index]!.test(value)) return true;
        }
        return false;
    }
  }
}
