/** policy-facilities: what a worker has for its policies. */
import { FindingTally } from "../base/findings/finding-tally.ts";
import { openConcurrency, openLimits } from "../base/limits/limits-memory.ts";
import { OutboundClient } from "../base/outbound/outbound-client.ts";
import { Random } from "../base/random.ts";
import type { PolicyFacilities } from "../config/policy-environments.ts";
import type { Clock } from "../policy/environment.ts";
import { Expressions } from "../policy/expressions/compile-expression.ts";
import type { DataPlaneContext } from "./data-plane.ts";
import { ExpressionFailures } from "./expression-failures.ts";
import { openQuotas } from "./quota-store.ts";

const systemClock: Clock = { now: Date.now };

/** One for each worker; serves all revisions. */
export function createPolicyFacilities(
  { log, shared, workerIndex }: Pick<DataPlaneContext, "log" | "shared" | "workerIndex">,
  clock: Clock = systemClock,
): PolicyFacilities {
  const failures = new ExpressionFailures(log);
  const expressions = new Expressions(clock, (text, reason) => failures.report(text, reason));
  return {
    clock,
    random: new Random(),
    consumers: { version: 0, byName: () => undefined, find: () => undefined },
    limits: openLimits(shared.limits, workerIndex),
    concurrency: openConcurrency(shared.limits, workerIndex),
    quotas: openQuotas(shared.quotas, workerIndex, log),
    redis: () => missing("redis"),
    cache: () => missing("cache"),
    fetch: new OutboundClient().fetch,
    expression: (text) => expressions.compile(text),
    tally: new FindingTally(),
  };
}

function missing(what: string): never {
  throw new Error(`no ${what} in this worker`);
}
