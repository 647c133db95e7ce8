// HOT
import type { PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { compileTemplate, type Template } from "../../policy/template.ts";
import { HEADER_VALUE } from "../../policy/template/value-encoding.ts";
import { HeaderNames } from "../../policy/header-names.ts";
import type { HeaderOptions } from "./headers-options.ts";

type Fields = Exchange["request"]["fields"];

/** Headers and what they are given. */
class NamedTemplates {
  readonly names: readonly string[];
  private readonly templates: readonly Template[];
  /** What was worked out for the exchange at hand; nothing waits in between. */
  readonly values: (string | undefined)[];

  constructor(
    entries: readonly (readonly [name: string, source: string])[],
    environment: PolicyEnvironment,
  ) {
    const names: string[] = [];
    const templates: Template[] = [];
    // cold: once per snapshot
    for (const [name, source] of entries) {
      names.push(name);
      templates.push(compileTemplate(source, HEADER_VALUE, environment));
    }
    this.names = names;
    this.templates = templates;
    this.values = [];
    for (let index = 0; index < names.length; index++) this.values.push(undefined);
  }

  render(exchange: Exchange): void {
    const { templates, values } = this;
    for (let index = 0; index < templates.length; index++) {
      const value = templates[index]!.render(exchange);
      values[index] = value === "" ? undefined : value;
    }
  }
}

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
    this.given = new NamedTemplates(Object.entries(options.default), environment);
    this.set = new NamedTemplates(Object.entries(options.set), environment);
    this.replaced = new HeaderNames(Object.keys(options.set));
    // cold: once per snapshot
    const lines = Object.entries(options.add).flatMap(([name, sources]) => {
      return sources.map((source) => [name, source] as const);
    });
    this.added = new NamedTemplates(lines, environment);
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
      if (value !== undefined && !fields.has(name)) fields.add(name, value);
    }
    this.replaced.removeFrom(fields);
    addAll(set, fields);
    addAll(added, fields);
  }
}

function addAll({ names, values }: NamedTemplates, fields: Fields): void {
  for (let index = 0; index < names.length; index++) {
    const value = values[index];
    if (value !== undefined) fields.add(names[index]!, value);
  }
}
