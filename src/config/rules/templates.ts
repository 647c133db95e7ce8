import { parsePathPattern, type PathPattern } from "../../routing/path-pattern.ts";
import { compileRedirect, compileRewrite } from "../../routing/rewrite.ts";
import { RoutingError } from "../../routing/routing-error.ts";
import { mistakeAt, type DocumentPath, type Finding } from "../mistake.ts";
import { valueAt } from "../issues.ts";
import { indexOf, type Subject } from "./subject.ts";

/** Rewrites and redirects that cannot be read, or name parameters their path does not have. */
export function checkTemplates(subject: Subject): Finding[] {
  const findings: Finding[] = [];
  for (const [position, route] of subject.config.routes.entries()) {
    const { handler, rewrite, match } = route;
    const branches = handler.kind === "split" ? handler.branches : [];
    if (handler.kind !== "redirect" && branches.length === 0 && rewrite === undefined) continue;
    const pattern = patternOf(match.path);
    if (pattern === undefined) continue;
    const path = ["routes", indexOf(subject, "routes", position)];
    if (rewrite !== undefined) {
      findings.push(
        ...refusal([...path, "rewrite", "path"], () => compileRewrite(rewrite, pattern)),
      );
    }
    const split = [...path, "split"];
    const within = Array.isArray(valueAt(subject.document, split)) ? split : [...split, "branches"];
    for (const [index, { rewrite: own }] of branches.entries()) {
      if (own === undefined) continue;
      const place = [...within, index, "rewrite", "path"];
      findings.push(...refusal(place, () => compileRewrite(own, pattern)));
    }
    if (handler.kind === "redirect") {
      findings.push(
        ...refusal([...path, "redirect", "to"], () => compileRedirect(handler.to, pattern)),
      );
    }
  }
  return findings;
}

/** Undefined for a pattern that is refused, which is told elsewhere. */
function patternOf(source: string): PathPattern | undefined {
  try {
    return parsePathPattern(source);
  } catch (error) {
    if (!(error instanceof RoutingError)) throw error;
    return undefined;
  }
}

function refusal(path: DocumentPath, compile: () => unknown): Finding[] {
  try {
    compile();
    return [];
  } catch (error) {
    if (!(error instanceof RoutingError)) throw error;
    return [mistakeAt(path, error.message, error.hint)];
  }
}
