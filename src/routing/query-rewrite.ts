// HOT
import { endOfName, endOfPair, isNamed } from "./query.ts";

/** Takes parameters out of a query and adds others; the rest stays as the client sent it. */
export class QueryRewrite {
  private readonly removesAll: boolean;
  /** Names to take out, decoded: those to remove, and those that are set. */
  private readonly removed: readonly string[];
  /** What is added, encoded: `a=1&b=2`. */
  private readonly added: string;

  constructor(removesAll: boolean, removed: readonly string[], added: string) {
    this.removesAll = removesAll;
    this.removed = removed;
    this.added = added;
  }

  /** @param query raw, without the `?`; so is the result, "" for none. */
  apply(query: string): string {
    const kept = this.removesAll ? "" : this.withoutRemoved(query);
    if (this.added === "") return kept;
    return kept === "" ? this.added : kept + "&" + this.added;
  }

  private withoutRemoved(query: string): string {
    let kept = "";
    let keptFrom = 0;
    let start = 0;
    while (start < query.length) {
      const end = endOfPair(query, start);
      if (this.isRemoved(query, start, endOfName(query, start, end))) {
        kept += query.slice(keptFrom, start);
        keptFrom = end + 1;
      }
      start = end + 1;
    }
    if (keptFrom === 0) return query;
    kept += query.slice(keptFrom);
    // The last pair was taken out, with the `&` in front of it left over.
    return kept.endsWith("&") && keptFrom >= query.length ? kept.slice(0, -1) : kept;
  }

  private isRemoved(query: string, start: number, end: number): boolean {
    for (let index = 0; index < this.removed.length; index++) {
      if (isNamed(query, start, end, this.removed[index]!)) return true;
    }
    return false;
  }
}
