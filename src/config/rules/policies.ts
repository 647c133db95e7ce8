import type {
  EarlierPolicy,
  Fact,
  OptionMistake,
  PolicySurroundings,
} from "../../policy/policy.ts";
import { mistakeAt, warningAt, type DocumentPath, type Finding } from "../mistake.ts";
import { placedUses, policyLists, type PlacedUse, type PolicyUseList } from "../policy-uses.ts";
import { identityHeaderNames } from "../schema/identity.ts";
import type { PolicySchemas, PolicyUse } from "../schema/policy-use.ts";
import { declaredNames, indexOf, type Subject } from "./subject.ts";

/**
 * Rules on policies: what one needs to know has been found out before it, and options that fit the schema
 * make sense where they stand. A list is judged once, however many routes lead through it.
 */
export function checkPolicies(subject: Subject, policies: PolicySchemas): Finding[] {
  // Without all of the document's list nobody knows what the others come after.
  if (!isWhole(subject, "policies")) return [];
  return new PolicyJudge(subject, policies).judge();
}

function isWhole({ config, document }: Subject, key: "policies"): boolean {
  const written = document[key];
  return config[key].length === (Array.isArray(written) ? written.length : 0);
}

/** A policy before the one that is looked at, and the entry that it is written in. */
interface Met extends EarlierPolicy {
  entry: PolicyUse;
  precludes: readonly Fact[];
}

/** Who meets the policies of a consumer or a plan is known, whoever has found it out. */
const KNOWN_CALLER: Met = {
  name: "consumers",
  provides: ["identity"],
  entry: { name: "consumers", options: {} },
  precludes: [],
};

const FACT_IN_WORDS: Readonly<Record<Fact, string>> = { identity: "who is calling" };

class PolicyJudge {
  private readonly subject: Subject;
  private readonly policies: PolicySchemas;
  private readonly common: Omit<PolicySurroundings, "place" | "earlier">;
  private readonly findings: Finding[] = [];
  /** What requests have met before the lists of routes: of the document, and of each service. */
  private gateway: readonly Met[] = [];
  private readonly services = new Map<string, readonly Met[]>();
  private readonly plans = new Map<string, readonly Met[]>();

  constructor(subject: Subject, policies: PolicySchemas) {
    const { document } = subject;
    this.subject = subject;
    this.policies = policies;
    const asksForCertificates = subject.config.listen.some(
      ({ tls }) => tls !== undefined && tls.clientAuth !== "none",
    );
    this.common = {
      services: declaredNames(document["services"]),
      consumers: declaredNames(document["consumers"]),
      plans: declaredNames(document["plans"]),
      hasRedis: (document["redis"] ?? false) !== false,
      identityHeaders: identityHeaderNames(subject.config.identity),
      // A listener that is mistaken might have been the one.
      ...(subject.indexes["listen"] === undefined ? { asksForCertificates } : {}),
    };
  }

  judge(): Finding[] {
    for (const list of policyLists(this.subject.config)) {
      const before = this.metBefore(list);
      if (before === undefined) continue;
      const { kind, name } = list.place;
      const met = list.uses.length === 0 ? before : this.judgeList(list, before);
      if (kind === "gateway") this.gateway = met;
      if (kind === "service") this.services.set(name, met);
      if (kind === "plan") this.plans.set(name, met);
    }
    return this.findings;
  }

  /** Undefined where the service of a route is mistaken itself. */
  private metBefore({ place, path }: PolicyUseList): readonly Met[] | undefined {
    const { config } = this.subject;
    switch (place.kind) {
      case "gateway":
        return [];
      case "service":
        return this.gateway;
      case "route": {
        const { handler } = config.routes[path[1] as number]!;
        return handler.kind === "service" ? this.services.get(handler.service) : this.gateway;
      }
      case "plan":
        return [...this.gateway, KNOWN_CALLER];
      case "consumer":
        return (
          this.plans.get(config.consumers[place.name]!.plan) ?? [...this.gateway, KNOWN_CALLER]
        );
    }
  }

  private judgeList(list: PolicyUseList, before: readonly Met[]): readonly Met[] {
    const met = [...before];
    let entry: PolicyUse | undefined;
    let siblings: Met[] = [];
    for (const use of placedUses(list)) {
      if (use.entry !== entry) {
        met.push(...siblings);
        siblings = [];
        entry = use.entry;
      }
      this.judgeUse(use, met);
      const { provides = [], precludes } = this.policies[use.name] ?? {};
      const precluded =
        precludes === undefined ? [] : this.guarded(use, () => precludes(use.options as never));
      siblings.push({ name: use.name, provides, entry: use.entry, precludes: precluded ?? [] });
    }
    met.push(...siblings);
    return met;
  }

  private judgeUse(use: PlacedUse, met: readonly Met[]): void {
    const { needs, check, provides = [] } = this.policies[use.name] ?? {};
    const needed = needs === undefined ? [] : this.guarded(use, () => needs(use.options as never));
    for (const fact of needed ?? []) this.checkNeed(use, fact, met);
    this.checkPrecluded(use, new Set([...provides, ...(needed ?? [])]), met);
    if (check === undefined) return;
    const earlier = met.filter(({ entry }) => isAlwaysMet(entry, use.entry));
    const surroundings = { ...this.common, place: use.place.kind, earlier };
    const mistakes = this.guarded(use, () => check(use.options as never, surroundings)) ?? [];
    for (const mistake of mistakes) this.findings.push(this.findingOf(use, mistake));
  }

  /** One that some requests do not meet counts all the same: another may stand in for it there. */
  private checkNeed(use: PlacedUse, fact: Fact, met: readonly Met[]): void {
    if (met.some(({ provides }) => provides.includes(fact))) return;
    const finders = Object.entries(this.policies)
      .filter(([, { provides = [] }]) => provides.includes(fact))
      .map(([name]) => name);
    const message = `${use.name} needs to know ${FACT_IN_WORDS[fact]}, and no policy before it finds that out`;
    const one = finders.length === 1 ? finders[0] : `one of ${finders.join(", ")}`;
    const hint = finders.length === 0 ? undefined : `put ${one} before it`;
    const finding = mistakeAt(this.written(use.path), message, hint);
    this.findings.push({ ...finding, atKey: true });
  }

  /** Whoever answers before it is known who calls, answers everyone. */
  private checkPrecluded(use: PlacedUse, facts: ReadonlySet<Fact>, met: readonly Met[]): void {
    // A caller's own policies are asked whoever answers.
    if (use.place.kind === "plan" || use.place.kind === "consumer") return;
    const before = met.find(({ precludes }) => precludes.some((fact) => facts.has(fact)));
    if (before === undefined) return;
    const message = `${before.name} answers before ${use.name} is asked, and so also those whom it would refuse`;
    const hint = `put ${before.name} after it, or give ${before.name} shared: true`;
    this.findings.push({ ...mistakeAt(this.written(use.path), message, hint), atKey: true });
  }

  private findingOf(use: PlacedUse, { path = [], message, hint, isWarning }: OptionMistake) {
    const at = this.written([...use.path, ...path]);
    const finding =
      isWarning === true ? warningAt(at, message, hint) : mistakeAt(at, message, hint);
    return path.length === 0 ? { ...finding, atKey: true } : finding;
  }

  /** A policy of the user's that fails here is a mistake of the document, not the end of the process. */
  private guarded<Result>(use: PlacedUse, run: () => Result): Result | undefined {
    try {
      return run();
    } catch (error) {
      const message = `${use.name} cannot be checked: ${(error as Error).message}`;
      this.findings.push(mistakeAt(this.written(use.path), message));
      return undefined;
    }
  }

  /** Elements of lists stand elsewhere in a document of which only a part is sound. */
  private written(path: DocumentPath): DocumentPath {
    const [key, index, ...rest] = path;
    if (typeof index !== "number") return path;
    return [key!, indexOf(this.subject, key as "routes", index), ...rest];
  }
}

/** Whether all requests that meet `later` have met `earlier`. */
function isAlwaysMet(earlier: PolicyUse, later: PolicyUse): boolean {
  if (earlier.when === undefined && earlier.unless === undefined) return true;
  return conditionOf(earlier) === conditionOf(later);
}

function conditionOf({ when, unless }: PolicyUse): string {
  return JSON.stringify([when ?? null, unless ?? null]);
}
