// HOT
import type { PolicyEnvironment } from "./environment.ts";
import type { Exchange } from "./exchange.ts";
import { compileTemplate, type Template } from "./template.ts";
import type { ValueEncoding } from "./template/value-encoding.ts";

/** Names, each with a template of what it is given; a name may come several times. */
export class NamedTemplates {
  readonly names: readonly string[];
  /** What `render` worked out last, by the index of the name; nothing may wait before it is read. */
  readonly values: (string | undefined)[];
  private readonly templates: readonly Template[];

  constructor(
    entries: readonly (readonly [name: string, source: string])[],
    encoding: ValueEncoding,
    environment: PolicyEnvironment,
  ) {
    const names: string[] = [];
    const values: (string | undefined)[] = [];
    const templates: Template[] = [];
    // cold: once per snapshot
    for (const [name, source] of entries) {
      names.push(name);
      values.push(undefined);
      templates.push(compileTemplate(source, encoding, environment));
    }
    this.names = names;
    this.values = values;
    this.templates = templates;
  }

  render(exchange: Exchange): void {
    const { templates, values } = this;
    for (let index = 0; index < templates.length; index++) {
      values[index] = templates[index]!.render(exchange);
    }
  }
}

/** `{ a: ["1", "2"] }` becomes `[["a", "1"], ["a", "2"]]`. */
export function eachEntry(
  lists: Readonly<Record<string, readonly string[]>>,
): readonly (readonly [name: string, source: string])[] {
  // cold: once per snapshot
  return Object.entries(lists).flatMap(([name, sources]) => {
    // cold: once per snapshot
    return sources.map((source) => [name, source] as const);
  });
}
