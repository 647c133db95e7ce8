import { valueAt } from "../issues.ts";
import type { DocumentPath } from "../mistake.ts";

/** Where in a fallback as written the step at that index stands. */
export function stepPath(fallback: unknown, index: number): DocumentPath {
  if (Array.isArray(fallback)) return [index];
  return valueAt(fallback, ["steps"]) === undefined ? [] : ["steps", index];
}

/** Where in a fallback as written services are named. */
export function writtenSteps(fallback: unknown): DocumentPath[] {
  const list = Array.isArray(fallback) ? fallback : valueAt(fallback, ["steps"]);
  const count = Array.isArray(list) ? list.length : 1;
  return Array.from({ length: count }, (_, index) => [...stepPath(fallback, index), "service"]);
}
