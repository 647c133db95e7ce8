import { parsePathPattern, type PathPattern } from "../../routing/path-pattern.ts";
import { compileRewrite } from "../../routing/rewrite.ts";
import { RoutingError } from "../../routing/routing-error.ts";
import type { PolicySchemas, RewriteConfig, RouteConfig } from "../config.ts";
import { valueAt } from "../issues.ts";
import { mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";
import { placedUses } from "../policy-uses.ts";
import type { FallbackConfig } from "../schema/fallback.ts";
import { servicesOf } from "../schema/handler.ts";
import { stepPath } from "./fallback-paths.ts";
import { indexOf, type Subject } from "./subject.ts";

/** Rules on fallbacks: steps that nothing reaches, that lead nowhere else, or that have nothing to give. */
export function checkFallbacks(subject: Subject, policies: PolicySchemas): Finding[] {
  const findings: Finding[] = [];
  const { services, routes } = subject.config;
  for (const [name, { fallback }] of Object.entries(services)) {
    if (fallback === undefined) continue;
    const place = { fallback, path: ["services", name, "fallback"], subject };
    findings.push(...checkSteps(place), ...checkTargets(place, [name]));
    const using = routes.filter((route) => {
      return route.fallback === undefined && servicesOf(route.handler).includes(name);
    });
    findings.push(...checkCached(place, [name], using, policies), ...checkRewrites(place, using));
  }
  for (const [position, route] of routes.entries()) {
    const { fallback, handler } = route;
    if (fallback === undefined) continue;
    const path = ["routes", indexOf(subject, "routes", position), "fallback"];
    const place = { fallback, path, subject };
    const asked = servicesOf(handler);
    findings.push(...checkSteps(place), ...checkTargets(place, asked));
    findings.push(...checkCached(place, asked, [route], policies));
    findings.push(...checkRewrites(place, [route]));
  }
  return findings;
}

interface Place {
  fallback: FallbackConfig;
  path: DocumentPath;
  subject: Subject;
}

function pathOf({ path, subject }: Place, index: number): DocumentPath {
  return [...path, ...stepPath(valueAt(subject.document, path), index)];
}

function checkSteps(place: Place): Finding[] {
  const { steps, on } = place.fallback;
  const findings: Finding[] = [];
  if (on.length === 0) {
    findings.push(mistakeAt([...place.path, "on"], "nothing to fall back on", "write failure"));
  }
  const always = steps.findIndex(({ kind }) => kind === "respond");
  if (always >= 0 && always < steps.length - 1) {
    const message = "no request comes to this step: the one before it always answers";
    findings.push(mistakeAt(pathOf(place, always + 1), message, "put respond last"));
  }
  const seen = new Set<string>();
  for (const [index, step] of steps.entries()) {
    const key = step.kind === "service" ? `service ${step.service}` : step.kind;
    if (seen.has(key) && step.kind !== "respond") {
      const message = "the same step again, which has just been of no use";
      findings.push(mistakeAt(pathOf(place, index), message, "drop one of the two"));
    }
    seen.add(key);
  }
  return findings;
}

/** @param asked the services that it stands in for */
function checkTargets(place: Place, asked: readonly string[]): Finding[] {
  const { services } = place.subject.config;
  const isRaw = (name: string): boolean => {
    return Object.hasOwn(services, name) && services[name]!.rawPath;
  };
  const findings: Finding[] = [];
  for (const [index, step] of place.fallback.steps.entries()) {
    if (step.kind !== "service") continue;
    const path = [...pathOf(place, index), "service"];
    if (asked.every((name) => name === step.service)) {
      const message = `${step.service} would stand in for itself`;
      findings.push(mistakeAt(path, message, "name another service; retry asks the same again"));
      continue;
    }
    if (!Object.hasOwn(services, step.service)) continue;
    const other = asked.find((name) => isRaw(name) !== isRaw(step.service));
    if (other !== undefined && Object.hasOwn(services, other)) {
      const message = `of the services ${other} and ${step.service} only one has rawPath`;
      findings.push(mistakeAt(path, message, "give it to both, or to neither"));
    }
  }
  return findings;
}

/** @param routes where it applies */
function checkCached(
  place: Place,
  asked: readonly string[],
  routes: readonly RouteConfig[],
  policies: PolicySchemas,
): Finding[] {
  const at = place.fallback.steps.findIndex(({ kind }) => kind === "cached");
  if (at < 0 || routes.length === 0) return [];
  const { config } = place.subject;
  const kept = (route: RouteConfig): boolean => {
    const own = asked.flatMap((name) => config.services[name]?.policies ?? []);
    const lists = [...config.policies, ...own, ...route.policies];
    const uses = placedUses({ place: { kind: "gateway", name: "" }, uses: lists, path: [] });
    return [...uses].some(({ name, options }) => keepsAnswers(policies, name, options));
  };
  const bare = routes.filter((route) => !kept(route));
  if (bare.length === 0) return [];
  const path = pathOf(place, at);
  const hint = "add the policy cache with maxStale, such as cache: { maxStale: 1d }";
  if (bare.length === routes.length)
    return [mistakeAt(path, "no policy there keeps answers beyond their time", hint)];
  const message = `on the route ${bare[0]!.name} no policy keeps answers beyond their time`;
  return [warningAt(path, message, hint)];
}

/** Parameters that the path of a route does not have. */
function checkRewrites(place: Place, routes: readonly RouteConfig[]): Finding[] {
  const findings: Finding[] = [];
  for (const [index, step] of place.fallback.steps.entries()) {
    if (step.kind !== "service" || step.rewrite === undefined) continue;
    for (const { match } of routes) {
      const refused = refusalOf(step.rewrite, match.path);
      if (refused === undefined) continue;
      const path = [...pathOf(place, index), "rewrite", "path"];
      findings.push(mistakeAt(path, refused.message, refused.hint));
      break;
    }
  }
  return findings;
}

/** Undefined also where the route's own path is refused, which is told elsewhere. */
function refusalOf(rewrite: RewriteConfig, path: string): RoutingError | undefined {
  let pattern: PathPattern;
  try {
    pattern = parsePathPattern(path);
  } catch {
    return undefined;
  }
  try {
    compileRewrite(rewrite, pattern);
    return undefined;
  } catch (error) {
    if (error instanceof RoutingError) return error;
    throw error;
  }
}

/** Whether it can have something for `cached`; one whose question fails may. */
function keepsAnswers(policies: PolicySchemas, name: string, options: unknown): boolean {
  try {
    return policies[name]?.standsBy?.(options) ?? false;
  } catch {
    return true;
  }
}
