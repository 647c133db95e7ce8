/**
 * Members of all maps in a value that `JSON.parse` has made. It keeps the last of several members with one
 * name, so that the text had one twice if `scanJson` has counted more. To gather the names of each map while reading
 * took longer than all the rest.
 */
export class MemberCount {
  count = 0;
  /** Some name is `__proto__`: a careless copy would make it a prototype. */
  hasReservedName = false;

  constructor(value: unknown) {
    if (typeof value === "object" && value !== null) this.add(value);
  }

  private add(value: object): void {
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        const part: unknown = value[index];
        if (typeof part === "object" && part !== null) this.add(part);
      }
    } else this.addMap(value as Record<string, unknown>);
  }

  private addMap(map: Record<string, unknown>): void {
    // Own ones only: what somebody's code has added to the prototype does not count.
    const names = Object.keys(map);
    this.count += names.length;
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      if (name === "__proto__") this.hasReservedName = true;
      const part = map[name];
      if (typeof part === "object" && part !== null) this.add(part);
    }
  }
}
