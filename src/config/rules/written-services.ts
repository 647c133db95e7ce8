import type { DocumentPath } from "../mistake.ts";
import { valueAt } from "../issues.ts";
import { writtenSteps } from "./fallback-paths.ts";

/** A place where a route of the document names a service. */
export interface WrittenService {
  name: unknown;
  /** Within the route. */
  path: DocumentPath;
}

/** The services that a route as written names, or a service to stand in for it, whatever else is wrong with it. */
export function writtenServices(route: unknown): WrittenService[] {
  const split = valueAt(route, ["split"]);
  const within = Array.isArray(split) ? ["split"] : ["split", "branches"];
  const branches = valueAt(route, within);
  const paths = (Array.isArray(branches) ? branches : []).map((_, index) => {
    return [...within, index, "service"];
  });
  const fallback = valueAt(route, ["fallback"]);
  const steps = fallback === undefined ? [] : writtenSteps(fallback);
  const others = steps.map((path) => ["fallback", ...path]);
  return [["service"], ...paths, ...others]
    .map((path) => ({ name: valueAt(route, path), path }))
    .filter(({ name }) => name !== undefined);
}
