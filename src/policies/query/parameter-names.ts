// HOT
/** Names of parameters, decoded, and beginnings of names. Case matters. */
export class ParameterNames {
  private readonly names: Set<string>;
  private readonly prefixes: readonly string[];

  /** @param patterns names; with `*` at the end, beginnings of names */
  constructor(patterns: readonly string[]) {
    const names = new Set<string>();
    const prefixes: string[] = [];
    // cold: once per snapshot
    for (const pattern of patterns) {
      if (pattern.endsWith("*")) prefixes.push(pattern.slice(0, -1));
      else names.add(pattern);
    }
    this.names = names;
    this.prefixes = prefixes;
  }

  has(name: string): boolean {
    if (this.names.has(name)) return true;
    const { prefixes } = this;
    for (let index = 0; index < prefixes.length; index++) {
      if (name.startsWith(prefixes[index]!)) return true;
    }
    return false;
  }
}
