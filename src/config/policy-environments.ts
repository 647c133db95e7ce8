/** policy-environments: what each use of a policy is given, from what its worker has. */
import type { FindingTally } from "../base/findings/finding-tally.ts";
import type { KeptLease } from "../base/kept-values.ts";
import type { Log } from "../base/log/log.ts";
import { policyResultsTotal } from "../base/metrics/families.ts";
import type { Counter, MetricView } from "../base/metrics/metric-view.ts";
import type { PolicyEnvironment, PolicyPlace } from "../policy/environment.ts";
import type { Expression } from "../policy/expression.ts";
import type { PolicyDefinition } from "../policy/policy.ts";
import type { PolicyContext } from "./compile-policies.ts";
import { contentKey, placeLabel } from "./policy-uses.ts";

/** What a worker, or the test kit, has for policies; the same for all uses. */
export interface PolicyFacilities extends Pick<
  PolicyEnvironment,
  | "clock"
  | "random"
  | "consumers"
  | "limits"
  | "concurrency"
  | "quotas"
  | "redis"
  | "cache"
  | "fetch"
  | "expression"
> {
  /** Of all uses. */
  tally: FindingTally;
}

/** What one snapshot's policies are given beside that. */
export interface SnapshotSurroundings {
  policies: Readonly<Record<string, PolicyDefinition>>;
  facilities: PolicyFacilities;
  log: Log;
  metrics: MetricView;
  /** Contents by `contentKey`. */
  files: Readonly<Record<string, string>>;
  kept: KeptLease;
  /** Asks this snapshot's services. */
  call: PolicyEnvironment["call"];
}

export class PolicyEnvironments implements PolicyContext {
  readonly policies: Readonly<Record<string, PolicyDefinition>>;
  private readonly surroundings: SnapshotSurroundings;

  constructor(surroundings: SnapshotSurroundings) {
    this.policies = surroundings.policies;
    this.surroundings = surroundings;
  }

  expression(text: string): Expression {
    return this.surroundings.facilities.expression(text);
  }

  environmentOf(policy: PolicyDefinition, place: PolicyPlace, id: string): PolicyEnvironment {
    const { facilities, log, metrics, files, kept, call } = this.surroundings;
    const { name, results = [] } = policy;
    const { clock, tally } = facilities;
    const at = placeLabel(place);
    return {
      place,
      id,
      clock,
      random: facilities.random,
      log: log.child({ policy: name, at }),
      findings: {
        note: (subject, isRefused, findings) =>
          tally.note({ ...subject, policy: name, at }, isRefused, findings, clock.now()),
      },
      consumers: facilities.consumers,
      limits: facilities.limits,
      concurrency: facilities.concurrency,
      quotas: facilities.quotas,
      counter(result): Counter {
        if (!results.includes(result)) throw new Error(`${name} declares no result "${result}"`);
        return metrics.counter(policyResultsTotal, [name, at, result]);
      },
      file(path) {
        const key = contentKey(policy, path);
        if (!Object.hasOwn(files, key)) throw new Error(`${name} did not name the file ${path}`);
        return files[key]!;
      },
      keep: (key, make) => kept.keep(`${name} ${key}`, make),
      redis: () => facilities.redis(),
      cache: (kind) => facilities.cache(kind),
      call,
      fetch: (request) => facilities.fetch(request),
      expression: (text) => facilities.expression(text),
    };
  }
}
