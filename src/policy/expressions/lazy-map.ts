import type { CelInput } from "./cel-library.ts";

/**
 * A map of texts that looks its values up when an expression asks for them, and lists them only where it
 * goes through all.
 */
export abstract class LazyMap implements ReadonlyMap<string, CelInput> {
  /** @returns undefined for a key that is not there */
  protected abstract lookUp(key: string): CelInput | undefined;
  protected abstract list(): ReadonlyMap<string, CelInput>;

  get(key: unknown): CelInput | undefined {
    return typeof key === "string" ? this.lookUp(key) : undefined;
  }

  has(key: unknown): boolean {
    return this.get(key) !== undefined;
  }

  get size(): number {
    return this.list().size;
  }

  forEach(visit: (value: CelInput, key: string, map: ReadonlyMap<string, CelInput>) => void): void {
    for (const [key, value] of this.list()) visit(value, key, this);
  }

  entries(): MapIterator<[string, CelInput]> {
    return this.list().entries();
  }

  keys(): MapIterator<string> {
    return this.list().keys();
  }

  values(): MapIterator<CelInput> {
    return this.list().values();
  }

  [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries();
  }
}
