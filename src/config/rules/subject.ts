import type { Config } from "../config.ts";
import { valueAt } from "../issues.ts";

/** What the rules between parts look at. */
export interface Subject {
  /** The normalised configuration, or the sound part of one. */
  config: Config;
  /** The document as written: what it declares is there even when it is not sound. */
  document: Record<string, unknown>;
  /** Where the configuration's routes stand in the document; undefined: at the same indexes. */
  routeIndexes: readonly number[] | undefined;
}

/** The index in the document of a route of the configuration. */
export function routeIndex(subject: Subject, index: number): number {
  return subject.routeIndexes?.[index] ?? index;
}

/** The names of all services the document declares. */
export function declaredServices(subject: Subject): string[] {
  const services = valueAt(subject.document, ["services"]);
  return typeof services === "object" && services !== null ? Object.keys(services) : [];
}
