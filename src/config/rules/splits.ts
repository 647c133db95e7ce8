import { isDeepStrictEqual } from "node:util";
import type { RouteConfig, SplitBranchConfig, SplitConfig } from "../config.ts";
import { valueAt } from "../issues.ts";
import { mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";
import type { AppliesConfig } from "../schema/applies.ts";
import { ALL_OF, ANY_OF, type PolicySchemas, type PolicyUse } from "../schema/policy-use.ts";
import type { Fact } from "../../policy/policy.ts";
import { indexOf, type Subject } from "./subject.ts";

/** Rules on splits: ways that nothing can go, and what the ways have to have in common. */
export function checkSplits(subject: Subject, policies: PolicySchemas): Finding[] {
  const findings: Finding[] = [];
  for (const [position, route] of subject.config.routes.entries()) {
    const { handler } = route;
    if (handler.kind !== "split") continue;
    const path = ["routes", indexOf(subject, "routes", position)];
    const at = [...path, "split"];
    const isList = Array.isArray(valueAt(subject.document, at));
    const branchPath = (index: number): DocumentPath => [
      ...(isList ? at : [...at, "branches"]),
      index,
    ];
    const one = { route, split: handler, subject, branchPath };
    findings.push(...checkReach(one), ...checkRawPaths(one));
    findings.push(...checkSticky(one, policies, [...at, "sticky"]));
    findings.push(...checkEarlyAnswers(one, policies, path));
  }
  return findings;
}

interface CheckedSplit {
  route: RouteConfig;
  split: SplitConfig;
  subject: Subject;
  branchPath: (index: number) => DocumentPath;
}

function checkReach({ split, branchPath }: CheckedSplit): Finding[] {
  const findings: Finding[] = [];
  const earlier: AppliesConfig[] = [];
  for (const [index, { name, weight, when }] of split.branches.entries()) {
    if (weight !== null || when === undefined) continue;
    const path = [...branchPath(index), "when"];
    if (takesAll(when)) {
      const message = `${name} takes every request, so that none goes another way`;
      findings.push(warningAt(path, message, "give it a weight, or a condition"));
    } else if (earlier.some((other) => isDeepStrictEqual(other, when))) {
      const message = `no request goes to ${name}: a branch before it has the same condition`;
      findings.push(mistakeAt(path, message, "drop one of the two"));
    }
    earlier.push(when);
  }
  return findings;
}

function takesAll({ match, expression }: AppliesConfig): boolean {
  const { path, ...rest } = match;
  return expression === "" && path === "/*" && Object.values(rest).every(isNothing);
}

function isNothing(asked: unknown[] | Record<string, unknown>): boolean {
  return Object.keys(asked).length === 0;
}

/** Whether a path may have an encoded slash is decided before anybody knows which way it goes. */
function checkRawPaths({ route, split, subject, branchPath }: CheckedSplit): Finding[] {
  const { services } = subject.config;
  const isRaw = ({ service }: SplitBranchConfig): boolean => {
    return Object.hasOwn(services, service) && services[service]!.rawPath;
  };
  const findings: Finding[] = [];
  const first = split.branches[0]!;
  for (const [index, branch] of split.branches.entries()) {
    const { service, rewrite = route.rewrite } = branch;
    if (!Object.hasOwn(services, service)) continue;
    if (isRaw(branch) && rewrite?.path !== undefined) {
      const message = `the service ${service} has rawPath, so its path cannot be rewritten`;
      findings.push(mistakeAt(branchPath(index), message, "drop the rewrite or rawPath"));
    }
    if (isRaw(branch) === isRaw(first) || !Object.hasOwn(services, first.service)) continue;
    const message = `of the services ${first.service} and ${service} only one has rawPath`;
    findings.push(mistakeAt(branchPath(index), message, "give it to both, or to neither"));
  }
  return findings;
}

function checkSticky(
  { route, split, subject }: CheckedSplit,
  policies: PolicySchemas,
  path: DocumentPath,
): Finding[] {
  if (split.sticky?.by !== "consumer") return [];
  const uses = [...subject.config.policies, ...route.policies].flatMap(plainUses);
  if (uses.some(({ name }) => policies[name]?.provides?.includes("identity"))) return [];
  const message = "no policy before the choice finds out who is calling";
  return [mistakeAt(path, message, "put an authenticator on the route, or at the top")];
}

/** Policies of the branches' services come last: what answers before them, answers also whom they would refuse. */
function checkEarlyAnswers(
  { route, split, subject }: CheckedSplit,
  policies: PolicySchemas,
  path: DocumentPath,
): Finding[] {
  const early = route.policies.findIndex((use) => {
    return plainUses(use).some(({ name, options }) => {
      return factsOf(() => policies[name]?.precludes?.(options)).includes("identity");
    });
  });
  if (early < 0) return [];
  const { name } = route.policies[early]!;
  const asking = split.branches.find(({ service }) => {
    const uses = subject.config.services[service]?.policies ?? [];
    return uses.flatMap(plainUses).some((use) => {
      const { provides = [], needs } = policies[use.name] ?? {};
      const needed = factsOf(() => needs?.(use.options));
      return provides.includes("identity") || needed.includes("identity");
    });
  });
  if (asking === undefined) return [];
  const message =
    `${name} answers before the policies of the service ${asking.service} are asked, and so also those ` +
    "whom they would refuse";
  const hint = `give ${name} to the services, behind their own authenticators`;
  const finding = mistakeAt([...path, "policies", early], message, hint);
  return [{ ...finding, atKey: true }];
}

/** None where a policy of the user's fails; the rules on policies tell that. */
function factsOf(ask: () => readonly Fact[] | undefined): readonly Fact[] {
  try {
    return ask() ?? [];
  } catch {
    return [];
  }
}

function plainUses(use: PolicyUse): PolicyUse[] {
  if (use.name !== ANY_OF && use.name !== ALL_OF) return [use];
  return (use.of ?? []).flatMap(plainUses);
}
