import type { Config } from "../config.ts";
import { valueAt } from "../issues.ts";

/** What the rules between parts look at. */
export interface Subject {
  /** The normalised configuration, or the sound part of one. */
  config: Config;
  /** The document as written: what it declares is there even when it is not sound. */
  document: Record<string, unknown>;
  /** By key of a list: where its elements stand in the document, when not at the same indexes. */
  indexes: Readonly<Record<string, readonly number[]>>;
}

/** The index in the document of an element of one of the configuration's lists. */
export function indexOf(subject: Subject, key: keyof Config, index: number): number {
  return subject.indexes[key]?.[index] ?? index;
}

/** The names of all services the document declares. */
export function declaredServices(subject: Subject): string[] {
  return declaredNames(valueAt(subject.document, ["services"]));
}

/** The names that a map of the document declares, whatever is said of them. */
export function declaredNames(map: unknown): string[] {
  return typeof map === "object" && map !== null ? Object.keys(map) : [];
}
