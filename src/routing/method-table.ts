// HOT
/** Methods as bits: those that a route table names, at most 30. */

export const ANY_METHOD = -1;
const GET = 1;
const HEAD = 2;
/** Stands for every method that no route names. */
const UNNAMED = 1 << 30;
const NAMES_MAX = 30;

export class MethodTable {
  /** Name of the method with bit `1 << index`. */
  readonly names: string[];

  constructor() {
    this.names = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
  }

  /** The bit of a method in a request. */
  bitOf(method: string): number {
    const names = this.names;
    for (let index = 0; index < names.length; index++) {
      if (names[index] === method) return 1 << index;
    }
    return UNNAMED;
  }

  /** The bits of methods that a route names; undefined when the table is full. Cold. */
  add(methods: readonly string[]): number | undefined {
    let mask = 0;
    for (const method of methods) {
      if (!this.names.includes(method)) {
        if (this.names.length === NAMES_MAX) return undefined;
        this.names.push(method);
      }
      mask |= this.bitOf(method);
    }
    return mask;
  }

  /** The value of an Allow header: the named methods in the mask, sorted (RFC 9110 section 10.2.1). */
  allow(mask: number): string {
    const allowed: string[] = [];
    for (let index = 0; index < this.names.length; index++) {
      if ((mask & (1 << index)) !== 0) allowed.push(this.names[index]!);
    }
    return allowed.sort().join(", ");
  }
}

/** A route for GET answers HEAD too (RFC 9110 section 9.3.2). */
export function withImplicitHead(mask: number): number {
  return (mask & GET) === 0 ? mask : mask | HEAD;
}

/** Whether HEAD is asked for by name and GET is not. */
export function isHeadOnly(mask: number): boolean {
  return mask !== ANY_METHOD && (mask & (GET | HEAD)) === HEAD;
}
