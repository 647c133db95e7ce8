import type { Config, HashKeyConfig, ServiceConfig } from "../config.ts";
import { mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";
import { checkRetry } from "./retry.ts";
import { checkHealth } from "./health.ts";
import { checkBreaker } from "./breaker.ts";
import { policyUses } from "../policy-uses.ts";
import { pathParams } from "./path-params.ts";
import { servicesOf } from "../schema/handler.ts";
import { writtenServices } from "./written-services.ts";
import type { Subject } from "./subject.ts";

/** Rules on services: what their options mean together, and whether any route uses them. */
export function checkServices(subject: Subject): Finding[] {
  const findings: Finding[] = [];
  const used = usedServices(subject);
  for (const [name, service] of Object.entries(subject.config.services)) {
    const path = ["services", name];
    if (!used.has(name)) {
      const warning = warningAt(path, "nothing uses this service", "add a route, or drop it");
      findings.push({ ...warning, atKey: true });
    }
    findings.push(...checkTargets(service, path), ...checkTls(service, path));
    findings.push(...checkBreaker(service, path));
    findings.push(...checkRetry(service.retry, service.hedge, service, path));
    findings.push(...checkHealth(service, path));
    findings.push(...checkBalance(name, service, subject.config));
    if (service.http2 && service.pipelining > 1) {
      const message = "pipelining has no effect with http2";
      findings.push(warningAt([...path, "pipelining"], message, "drop one of the two"));
    }
  }
  return findings;
}

/**
 * By routes, in place of another service, or by a policy, which has its name among its options. Also by routes that
 * are not sound: what they say about their service still counts.
 */
function usedServices({ document, config }: Subject): Set<unknown> {
  const { routes, services } = document;
  const list: unknown[] = Array.isArray(routes) ? routes : [];
  const others: unknown[] = Object.values(services ?? {});
  const policies = [...policyUses(config)].flatMap(({ options }) => textsIn(options));
  return new Set([
    ...[...list, ...others].flatMap((one) => writtenServices(one).map(({ name }) => name)),
    ...policies,
  ]);
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function checkTargets({ targets }: ServiceConfig, path: DocumentPath): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const [index, { url }] of targets.entries()) {
    if (seen.has(url)) {
      const message = `${url} is listed twice`;
      findings.push(
        mistakeAt([...path, "targets", index], message, "write it once, with a weight"),
      );
    }
    seen.add(url);
  }
  if (targets.every(({ drain }) => drain)) {
    const message = "every target drains, so they serve only for want of others";
    findings.push(warningAt([...path, "targets"], message));
  }
  return findings;
}

function checkTls({ tls }: ServiceConfig, path: DocumentPath): Finding[] {
  const findings: Finding[] = [];
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const given = tls.cert === undefined ? "key" : "cert";
    const message = `${given} without ${given === "key" ? "cert" : "key"}`;
    findings.push(mistakeAt([...path, "tls", given], message, "a client certificate needs both"));
  }
  if (!tls.verify) {
    const message = "the service's certificate is not verified: anyone can stand in for it";
    findings.push(warningAt([...path, "tls", "verify"], message, "name its authority in ca"));
  }
  return findings;
}

function checkBalance(name: string, { balance }: ServiceConfig, config: Config): Finding[] {
  const path = ["services", name, "balance"];
  if (balance.name === "hash") return checkHashKey(name, balance.by, [...path, "by"], config);
  if (balance.name !== "sticky" || balance.fallback.name !== "hash") return [];
  return checkHashKey(name, balance.fallback.by, [...path, "fallback", "by"], config);
}

function checkHashKey(
  name: string,
  by: HashKeyConfig,
  path: DocumentPath,
  config: Config,
): Finding[] {
  if (by.from !== "param") return [];
  const routes = config.routes.filter(({ handler }) => servicesOf(handler).includes(name));
  const params = new Set(routes.flatMap(({ match }) => pathParams(match.path)));
  if (routes.length === 0 || params.has(by.name)) return [];
  const hint = params.size === 0 ? "they have none" : `they have ${[...params].join(", ")}`;
  const message = `no route to this service has a parameter "${by.name}"`;
  return [mistakeAt([...path, "param"], message, hint)];
}
