import type { RouteConfig } from "../config.ts";
import { mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";
import { suggestion } from "../../policy/values/did-you-mean.ts";
import { findRouteProblems } from "../../routing/route-table.ts";
import { valueAt } from "../issues.ts";
import { checkRetry } from "./retry.ts";
import { checkTemplates } from "./templates.ts";
import { writtenServices } from "./written-services.ts";
import { declaredServices, indexOf, type Subject } from "./subject.ts";

/** Rules on routes: what they name must be there, and no two may claim the same requests. */
export function checkRoutes(subject: Subject): Finding[] {
  const { config } = subject;
  const findings = [...checkReferences(subject), ...checkNames(subject)];
  for (const [position, route] of config.routes.entries()) {
    const path = ["routes", indexOf(subject, "routes", position)];
    findings.push(...checkRawPath(route, subject, path));
    if (route.handler.kind !== "service") continue;
    const service = config.services[route.handler.service];
    if (service !== undefined)
      findings.push(...checkRetry(route.retry, route.hedge, service, path));
  }
  findings.push(...checkTable(subject), ...checkTemplates(subject));
  if (valueAt(subject.document, ["routes", 0]) === undefined) {
    const message = "no routes: every request is answered 404";
    findings.push(warningAt(["routes"], message, "add a route"));
  }
  return findings;
}

/** What the routing table refuses: patterns it cannot read, routes that claim the same requests. */
function checkTable(subject: Subject): Finding[] {
  const problems = findRouteProblems(
    subject.config.routes.map(({ name, match }, index) => ({ value: index, name, match })),
  );
  return problems.map(({ ruleIndex, otherIndex, at, message, hint }) => {
    const path = ["routes", indexOf(subject, "routes", ruleIndex), "match", ...at];
    if (otherIndex === undefined) return mistakeAt(path, message, hint);
    // The table counts only the routes it was given.
    const other = `routes[${indexOf(subject, "routes", otherIndex)}]`;
    return mistakeAt(path, message.replace(`routes[${otherIndex}]`, other), hint);
  });
}

/** On the document as written: a route that is mistaken elsewhere is held to this as well. */
function checkReferences(subject: Subject): Finding[] {
  const services = declaredServices(subject);
  const { routes } = subject.document;
  const findings: Finding[] = [];
  for (const [index, route] of (Array.isArray(routes) ? routes : []).entries()) {
    for (const { name, path } of writtenServices(route)) {
      if (typeof name !== "string" || name === "" || services.includes(name)) continue;
      findings.push(unknownService(name, services, ["routes", index, ...path]));
    }
  }
  for (const service of services) {
    const at = ["services", service];
    for (const { name, path } of writtenServices(valueAt(subject.document, at))) {
      if (path[0] !== "fallback" || typeof name !== "string" || services.includes(name)) continue;
      findings.push(unknownService(name, services, [...at, ...path]));
    }
  }
  return findings;
}

function unknownService(name: string, services: string[], path: DocumentPath): Finding {
  const none = "the document declares no services";
  const hint = services.length === 0 ? none : suggestion(name, services);
  return mistakeAt(path, `no service named ${JSON.stringify(name)}`, hint);
}

function checkRawPath(
  { handler, rewrite }: RouteConfig,
  { config }: Subject,
  path: DocumentPath,
): Finding[] {
  if (handler.kind !== "service" || rewrite?.path === undefined) return [];
  const { service } = handler;
  if (!Object.hasOwn(config.services, service) || !config.services[service]!.rawPath) return [];
  const message = `the service ${service} has rawPath, so its path cannot be rewritten`;
  return [mistakeAt([...path, "rewrite", "path"], message, "drop the rewrite or rawPath")];
}

/** Given names tell routes apart in logs and metrics. */
function checkNames(subject: Subject): Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<string, number>();
  for (const position of subject.config.routes.keys()) {
    const index = indexOf(subject, "routes", position);
    const name = valueAt(subject.document, ["routes", index, "name"]);
    if (typeof name !== "string") continue;
    const owner = owners.get(name);
    if (owner === undefined) {
      owners.set(name, index);
      continue;
    }
    const message = `routes[${owner}] is called "${name}" already`;
    findings.push(mistakeAt(["routes", index, "name"], message, "give each its own name"));
  }
  return findings;
}
