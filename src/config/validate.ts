import type { Config } from "./config.ts";
import { findingsOf, valueAt } from "./issues.ts";
import { mistakeAt, type DocumentPath, type Finding } from "./mistake.ts";
import { checkConsumers } from "./rules/consumers.ts";
import { checkFallbacks } from "./rules/fallbacks.ts";
import { checkListeners } from "./rules/listeners.ts";
import { checkPolicies } from "./rules/policies.ts";
import { checkRedis } from "./rules/redis.ts";
import { checkRoutes } from "./rules/routes.ts";
import { checkServices } from "./rules/services.ts";
import { checkSplits } from "./rules/splits.ts";
import type { Subject } from "./rules/subject.ts";
import { documentSchema } from "./schema/document.ts";
import type { PolicySchemas } from "./schema/policy-use.ts";
import { shown } from "../policy/values/shown.ts";

/** The configuration when there are no errors; warnings may be there beside it. */
export interface Validation {
  config: Config | undefined;
  findings: Finding[];
}

/**
 * Checks a document, its variables already put in, and normalises it. Says everything at once:
 * when parts do not fit the schema, the rest is still held to the rules between parts.
 */
export function validate(data: unknown, policies: PolicySchemas): Validation {
  if (data === undefined || data === null) {
    const hint = "gateward init writes one to begin with";
    return { config: undefined, findings: [mistakeAt([], "the document is empty", hint)] };
  }
  if (typeof data !== "object" || Array.isArray(data)) {
    const message = `expected a map of keys like services and routes, found ${shown(data)}`;
    return { config: undefined, findings: [mistakeAt([], message)] };
  }
  const unsafe = unsafeKeys(data, []);
  if (unsafe.length > 0) return { config: undefined, findings: unsafe };
  const document = withoutEmptyKeys(data as Record<string, unknown>);
  const schema = documentSchema(policies);
  const parsed = schema.safeParse(document);
  if (parsed.success) {
    const findings = checkRules({ config: parsed.data, document, indexes: {} }, policies);
    const isRefused = findings.some(({ level }) => level === "error");
    return { config: isRefused ? undefined : parsed.data, findings };
  }
  const findings = findingsOf(parsed.error.issues, document, policies);
  const sound = soundPart(document, findings);
  const rest = schema.safeParse(sound.document);
  if (!rest.success) return { config: undefined, findings };
  const more = checkRules({ config: rest.data, document, indexes: sound.indexes }, policies);
  return { config: undefined, findings: [...findings, ...more.filter(isNew(findings))] };
}

/** No key may be the name by which objects reach their prototype: schemas pass over it in silence. */
function unsafeKeys(value: unknown, path: DocumentPath): Finding[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    if (key !== "__proto__") return unsafeKeys(part, here);
    return [{ ...mistakeAt(here, "the name __proto__ cannot be used"), atKey: true }];
  });
}

function checkRules(subject: Subject, policies: PolicySchemas): Finding[] {
  const findings = [
    ...checkListeners(subject),
    ...checkServices(subject),
    ...checkRoutes(subject),
    ...checkRedis(subject),
    ...checkConsumers(subject, policies),
    ...checkSplits(subject, policies),
    ...checkFallbacks(subject, policies),
    ...checkPolicies(subject, policies),
  ];
  for (const finding of findings) finding.path = writtenPath(finding.path, subject.document);
  return findings;
}

/** A rule that fails at or below what the schema refused would say the same thing twice. */
function isNew(known: readonly Finding[]): (finding: Finding) => boolean {
  return ({ path }) => !known.some((one) => one.path.every((part, index) => path[index] === part));
}

/**
 * `policies:` with every entry commented out is null to YAML, and means what it looks like:
 * nothing. So does a policy without options (`- cors:`).
 */
function withoutEmptyKeys(data: Record<string, unknown>): Record<string, unknown> {
  const document = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));
  const { routes } = document;
  const parts: unknown[] = [document];
  for (const key of ["consumers", "plans"]) fillEmptyParts(document, key);
  for (const key of MAPS) {
    const map = document[key];
    if (isMap(map)) parts.push(...Object.values(map));
  }
  if (Array.isArray(routes)) parts.push(...(routes as unknown[]));
  for (const part of parts) {
    if (!isMap(part)) continue;
    if (part["policies"] === null) delete part["policies"];
    if (Array.isArray(part["policies"])) fillEmptyOptions(part["policies"]);
  }
  return document;
}

/** A consumer that is there by its name alone, `mobile:`, has a value of null. */
function fillEmptyParts(document: Record<string, unknown>, key: string): void {
  const map = document[key];
  if (!isMap(map)) return;
  for (const name of Object.keys(map)) if (map[name] === null) map[name] = {};
}

function fillEmptyOptions(uses: unknown[]): void {
  for (const use of uses) {
    if (!isMap(use)) continue;
    for (const name of Object.keys(use)) if (use[name] === null) use[name] = {};
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Keys that hold maps of names to parts of which each is sound or not by itself. */
const MAPS = ["services", "consumers", "plans"];

/**
 * The document without what the schema refuses: whole routes, services, consumers, listeners and policies go,
 * any other key falls back to its default. `routeIndexes` says where the routes stood.
 */
function soundPart(
  document: Record<string, unknown>,
  findings: readonly Finding[],
): { document: Record<string, unknown>; indexes: Record<string, number[]> } {
  const broken = new Set(findings.map(({ path }) => JSON.stringify(unitOf(path, document))));
  const isSound = (...path: DocumentPath): boolean => !broken.has(JSON.stringify(path));
  const sound: Record<string, unknown> = {};
  const indexes: Record<string, number[]> = {};
  for (const [key, value] of Object.entries(document)) {
    if (!isSound(key)) continue;
    if (Array.isArray(value)) {
      indexes[key] = [...value.keys()].filter((index) => isSound(key, index));
      sound[key] = indexes[key].map((index) => value[index] as unknown);
    } else if (MAPS.includes(key) && isMap(value)) {
      const entries = Object.entries(value).filter(([name]) => isSound(key, name));
      sound[key] = Object.fromEntries(entries);
    } else {
      sound[key] = value;
    }
  }
  return { document: sound, indexes };
}

/** The smallest part that can be left out for a mistake at `path`. */
function unitOf(path: DocumentPath, document: Record<string, unknown>): DocumentPath {
  const [key = ""] = path;
  const isDivided = Array.isArray(document[key]) || MAPS.includes(String(key));
  return path.slice(0, isDivided ? 2 : 1);
}

/**
 * A path of the normalised configuration as it was written: short forms (`listen: 8080`, `tls`
 * with one `cert`) lack some of its steps.
 */
export function writtenPath(path: DocumentPath, document: unknown): DocumentPath {
  const written: (string | number)[] = [];
  for (const part of path) {
    const here = valueAt(document, written);
    if (typeof here === "object" && here !== null && Object.hasOwn(here, part)) written.push(part);
  }
  return written;
}
