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
  const services = valueAt(subject.document, ["services"]);
  return typeof services === "object" && services !== null ? Object.keys(services) : [];
}
