// HOT
import type { PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { eachEntry, NamedTemplates } from "../../policy/named-templates.ts";
import { decodeFormText, endOfName, endOfPair } from "../../policy/query-pair.ts";
import { QUERY_VALUE } from "../../policy/template/value-encoding.ts";
import { ParameterNames } from "./parameter-names.ts";
import type { QueryOptions } from "./query-options.ts";

/**
 * What becomes of a query. Values are worked out before anything is changed; then one pass takes parameters
 * out and renames others, each that stays as it was sent and in its place; what is given is written behind.
 */
export class QueryChanges {
  /** null: all are kept. */
  private readonly kept: ParameterNames | null;
  private readonly removed: ParameterNames;
  /** Decoded name to the new one, decoded and encoded. */
  private readonly renamed: ReadonlyMap<string, Renamed>;
  private readonly replaced: ReadonlySet<string>;
  private readonly given: NamedTemplates;
  private readonly set: NamedTemplates;
  private readonly added: NamedTemplates;
  /** `name=`, encoded, by index. */
  private readonly givenStarts: readonly string[];
  private readonly setStarts: readonly string[];
  private readonly addedStarts: readonly string[];
  /** Of the query at hand, by index in `given`. */
  private readonly isThere: boolean[];

  constructor(options: QueryOptions, environment: PolicyEnvironment) {
    this.kept = options.keep === undefined ? null : new ParameterNames(options.keep);
    this.removed = new ParameterNames(options.remove);
    const renamed = new Map<string, Renamed>();
    // cold: once per snapshot
    for (const [from, name] of Object.entries(options.rename)) {
      renamed.set(from, { name, encoded: encodeURIComponent(name) });
    }
    this.renamed = renamed;
    this.replaced = new Set(Object.keys(options.set));
    // cold: once per snapshot
    const named = (entries: readonly (readonly [string, string])[]): NamedTemplates => {
      return new NamedTemplates(entries, QUERY_VALUE, environment);
    };
    this.given = named(Object.entries(options.default));
    this.set = named(Object.entries(options.set));
    this.added = named(eachEntry(options.add));
    this.givenStarts = startsOf(this.given);
    this.setStarts = startsOf(this.set);
    this.addedStarts = startsOf(this.added);
    this.isThere = [];
    for (let index = 0; index < this.given.names.length; index++) this.isThere.push(false);
  }

  apply(exchange: Exchange): void {
    const { given, set, added, isThere } = this;
    given.render(exchange);
    set.render(exchange);
    added.render(exchange);
    for (let index = 0; index < isThere.length; index++) isThere[index] = false;
    let query = this.filtered(exchange.rawQuery);
    for (let index = 0; index < given.values.length; index++) {
      if (!isThere[index]) query = joined(query, this.givenStarts[index]!, given.values[index]);
    }
    for (let index = 0; index < set.values.length; index++) {
      query = joined(query, this.setStarts[index]!, set.values[index]);
    }
    for (let index = 0; index < added.values.length; index++) {
      query = joined(query, this.addedStarts[index]!, added.values[index]);
    }
    exchange.setQuery(query);
  }

  /** What stays of the parameters that were sent. */
  private filtered(query: string): string {
    let out = "";
    let start = 0;
    while (start < query.length) {
      const end = endOfPair(query, start);
      const nameEnd = endOfName(query, start, end);
      const name = decodeFormText(query, start, nameEnd);
      if (end > start && this.passes(name)) {
        const renamed = this.renamed.get(name);
        const now = renamed === undefined ? name : renamed.name;
        if (!this.replaced.has(now)) {
          this.note(now);
          const pair =
            renamed === undefined
              ? query.slice(start, end)
              : renamed.encoded + query.slice(nameEnd, end);
          out = out === "" ? pair : out + "&" + pair;
        }
      }
      start = end + 1;
    }
    return out;
  }

  private passes(name: string): boolean {
    return !this.removed.has(name) && (this.kept === null || this.kept.has(name));
  }

  private note(name: string): void {
    const { names } = this.given;
    for (let index = 0; index < names.length; index++) {
      if (names[index] === name) this.isThere[index] = true;
    }
  }
}

interface Renamed {
  readonly name: string;
  readonly encoded: string;
}

function startsOf({ names }: NamedTemplates): string[] {
  // cold: once per snapshot
  return names.map((name) => encodeURIComponent(name) + "=");
}

/** The query with one parameter more, if it has a value. */
function joined(query: string, start: string, value: string | undefined): string {
  if (value === undefined) return query;
  return query === "" ? start + value : query + "&" + start + value;
}
