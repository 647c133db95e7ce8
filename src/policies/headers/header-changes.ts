// HOT
import type { PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { eachEntry, NamedTemplates } from "../../policy/named-templates.ts";
import { HEADER_VALUE } from "../../policy/template/value-encoding.ts";
import { HeaderNames } from "../../policy/header-names.ts";
import type { HeaderOptions } from "./headers-options.ts";

type Fields = Exchange["request"]["fields"];

/**
 * What becomes of the headers of one message. All values are worked out before anything is changed; then
 * lines are removed, renamed, given where missing, set and added, in this order.
 */
export class HeaderChanges {
  /** What is removed, and every spelling of what is set: else a client could say it beside. */
  private readonly removed: HeaderNames;
  private readonly set: NamedTemplates;
  private readonly replaced: HeaderNames;
  private readonly renamedFrom: readonly string[];
  private readonly renamedTo: readonly string[];
  private readonly given: NamedTemplates;
  private readonly added: NamedTemplates;

  constructor(options: HeaderOptions, environment: PolicyEnvironment) {
    this.removed = new HeaderNames(options.remove);
    this.renamedFrom = Object.keys(options.rename);
    this.renamedTo = Object.values(options.rename);
    // cold: once per snapshot
    const named = (entries: readonly (readonly [string, string])[]): NamedTemplates => {
      return new NamedTemplates(entries, HEADER_VALUE, environment);
    };
    this.given = named(Object.entries(options.default));
    this.set = named(Object.entries(options.set));
    this.replaced = new HeaderNames(Object.keys(options.set));
    this.added = named(eachEntry(options.add));
  }

  /** @param fields of the exchange's request or response */
  apply(exchange: Exchange, fields: Fields): void {
    const { given, set, added, renamedFrom, renamedTo } = this;
    given.render(exchange);
    set.render(exchange);
    added.render(exchange);
    this.removed.removeFrom(fields);
    for (let index = 0; index < renamedFrom.length; index++) {
      fields.rename(renamedFrom[index]!, renamedTo[index]!);
    }
    for (let index = 0; index < given.names.length; index++) {
      const value = given.values[index];
      const name = given.names[index]!;
      if (isThere(value) && !fields.has(name)) fields.add(name, value);
    }
    this.replaced.removeFrom(fields);
    addAll(set, fields);
    addAll(added, fields);
  }
}

function addAll({ names, values }: NamedTemplates, fields: Fields): void {
  for (let index = 0; index < names.length; index++) {
    const value = values[index];
    if (isThere(value)) fields.add(names[index]!, value);
  }
}

function isThere(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}
