import { suggestion } from "../../policy/values/did-you-mean.ts";
import { formatPath, mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";
import type { ConsumerConfig } from "../config.ts";
import { credentialUses } from "../consumer-credentials.ts";
import { policyUses } from "../policy-uses.ts";
import { routePattern } from "../route-pattern.ts";
import type { PolicySchemas } from "../schema/policy-use.ts";
import { declaredNames, type Subject } from "./subject.ts";

/** Rules on who is calling: what consumers and plans name is there, and no credential is of two. */
export function checkConsumers(subject: Subject, policies: PolicySchemas): Finding[] {
  return [
    ...checkPlans(subject),
    ...checkPlanRoutes(subject),
    ...checkCredentials(subject),
    ...checkPlaces(subject, policies),
    ...checkIdentity(subject),
  ];
}

/** On the plans as written: one that is mistaken itself is there all the same. */
function checkPlans({ config, document }: Subject): Finding[] {
  const plans = declaredNames(document["plans"]);
  const findings: Finding[] = [];
  for (const [name, { plan }] of Object.entries(config.consumers)) {
    if (plan === "" || plans.includes(plan)) continue;
    const hint = plans.length === 0 ? "the document declares no plans" : suggestion(plan, plans);
    const message = `no plan named ${JSON.stringify(plan)}`;
    findings.push(mistakeAt(["consumers", name, "plan"], message, hint));
  }
  return findings;
}

function checkPlanRoutes({ config, document, indexes }: Subject): Finding[] {
  // Where some route is mistaken, nobody knows whether it is the one that is named.
  const written = document["routes"];
  const isWhole =
    Array.isArray(written) && (indexes["routes"] ?? written).length === written.length;
  if (!isWhole) return [];
  const names = config.routes.map(({ name }) => name);
  const findings: Finding[] = [];
  for (const [plan, { routes }] of Object.entries(config.plans)) {
    for (const [index, pattern] of routes.entries()) {
      const covers = routePattern(pattern);
      if (pattern === "*" || names.some(covers)) continue;
      const message = `no route named ${JSON.stringify(pattern)}`;
      const path = ["plans", plan, "routes", index];
      findings.push(mistakeAt(path, message, suggestion(pattern, names)));
    }
  }
  return findings;
}

function checkCredentials({ config }: Subject): Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  for (const [name, consumer] of Object.entries(config.consumers)) {
    for (const { kind, id, path } of credentialUses(name, consumer)) {
      const key = `${kind} ${id}`;
      const at = ["consumers", name, ...path];
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, formatPath(at));
      else findings.push(mistakeAt(at, `is the credential of ${owner} too`, "give each its own"));
    }
    findings.push(...checkKeys(name, consumer));
  }
  return findings;
}

function checkKeys(consumerName: string, { keys, scopes }: ConsumerConfig): Finding[] {
  const findings: Finding[] = [];
  for (const [index, key] of keys.entries()) {
    const path: DocumentPath = ["consumers", consumerName, "keys", index];
    if (key.expiresAtMs > 0 && key.expiresAtMs < Date.now()) {
      findings.push(warningAt([...path, "expires"], "the key has expired", "drop it"));
    }
    for (const scope of scopes.length === 0 ? [] : key.scopes) {
      if (scopes.includes(scope)) continue;
      const message = `the consumer has no scope ${JSON.stringify(scope)} to narrow the key to`;
      findings.push(mistakeAt([...path, "scopes"], message, suggestion(scope, scopes)));
    }
  }
  return findings;
}

/** Who meets the policies of a plan or a consumer is known already. */
function checkPlaces({ config }: Subject, policies: PolicySchemas): Finding[] {
  const findings: Finding[] = [];
  for (const { name, place, path } of policyUses(config)) {
    if (place.kind !== "plan" && place.kind !== "consumer") continue;
    if (policies[name]?.compileAuthenticator === undefined) continue;
    const message = `${name} finds out who is calling, which is known before policies of a ${place.kind} run`;
    const hint = "move it to the route, its service or the top of the document";
    findings.push({ ...mistakeAt(path, message, hint), atKey: true });
  }
  return findings;
}

/** Two things in one header would be read as two values of one. */
function checkIdentity({ config: { identity } }: Subject): Finding[] {
  if (identity === false) return [];
  const { claims, ...headers } = identity;
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  for (const [key, header] of Object.entries(headers)) {
    if (header === "") continue;
    const owner = owners.get(header);
    if (owner === undefined) owners.set(header, key);
    else {
      const message = `${header} carries ${owner} already`;
      findings.push(mistakeAt(["identity", key], message, "give each its own header, or false"));
    }
  }
  for (const header of Object.keys(claims)) {
    const owner = owners.get(header);
    if (owner === undefined) continue;
    const message = `${header} carries ${owner} already`;
    findings.push(mistakeAt(["identity", "claims", header], message, "give each its own header"));
  }
  return findings;
}
