import type { Fields } from "../wire/fields.ts";

/**
 * Headers that only the gateway may say. What a client says in them is removed, in any spelling that a
 * service could take for the same: frameworks that make variables of headers fold `X_User`, `x-user` and
 * `X.User` together.
 */
export class ClaimedHeaders {
  private readonly folded: ReadonlySet<string>;
  /** By length, so that most headers are told apart without a look at their names. */
  private readonly lengths: Uint8Array;

  /** @param names in lower case */
  constructor(names: Iterable<string>) {
    this.folded = new Set([...names].map(fold));
    this.lengths = new Uint8Array(Math.max(0, ...[...this.folded].map(({ length }) => length)) + 1);
    for (const { length } of this.folded) this.lengths[length] = 1;
  }

  /** Lines that policies have set since the request came stay. */
  strip(fields: Fields): void {
    const { spans, removed, count } = fields;
    for (let index = 0; index < count; index++) {
      const length = spans[(index << 2) + 1]! - spans[index << 2]!;
      if (this.lengths[length] !== 1 || removed[index] !== 0) continue;
      if (this.folded.has(fold(fields.nameAt(index)))) fields.removeAt(index);
    }
  }
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "-");
}
