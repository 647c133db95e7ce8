import { CacheMemory } from "../base/cache/cache-memory.ts";
import { FindingTally } from "../base/findings/finding-tally.ts";
import { KeptValues } from "../base/kept-values.ts";
import { LimitsMemory, openConcurrency, openLimits } from "../base/limits/limits-memory.ts";
import { MemoryLedger } from "../base/limits/memory-ledger.ts";
import { QuotaMemory } from "../base/limits/quota-memory.ts";
import { SharedQuotaTable } from "../base/limits/shared-quota-table.ts";
import { silentLog } from "../base/log/log.ts";
import { MetricView } from "../base/metrics/metric-view.ts";
import { Random } from "../base/random.ts";
import type { CacheStore } from "../policy/cache-store.ts";
import type { PolicyEnvironment, PolicyPlace } from "../policy/environment.ts";
import { Expressions } from "../policy/expressions/compile-expression.ts";
import { MemoryCacheStore } from "../policy/memory-cache-store.ts";
import type { PolicyDefinition } from "../policy/policy.ts";
import { RedisCacheStore } from "../policy/redis-cache-store.ts";
import { PolicyEnvironments, type PolicyFacilities } from "../config/policy-environments.ts";
import { TestClock } from "./test-clock.ts";
import { TEST_SECRET } from "./test-secret.ts";

export interface TestSurroundings extends Partial<PolicyFacilities> {
  place?: PolicyPlace;
  /** Contents of files that the policy names. */
  files?: Readonly<Record<string, string>>;
  /** Answers in place of the document's services. */
  call?: PolicyEnvironment["call"];
}

/** What a policy under test is given: in memory, by a clock that stands still. */
export function testEnvironment(
  policy: PolicyDefinition,
  {
    place = { kind: "route", name: "a route" },
    files = {},
    call = unavailable("call"),
    ...given
  }: TestSurroundings = {},
): PolicyEnvironment {
  const clock = given.clock ?? new TestClock();
  const expressions = new Expressions(clock);
  const { handle } = new LimitsMemory({
    workers: 1,
    entries: 4096,
    concurrencyEntries: 1024,
    secret: TEST_SECRET,
  });
  let memory: CacheStore | undefined;
  const inRedis = (): CacheStore => new RedisCacheStore(facilities.redis());
  const facilities: PolicyFacilities = {
    clock,
    random: new Random(1),
    consumers: { version: 0, byName: () => undefined, find: () => undefined },
    limits: openLimits(handle, 0),
    concurrency: openConcurrency(handle, 0),
    quotas: new SharedQuotaTable(
      new QuotaMemory(1024, TEST_SECRET).handle,
      1,
      new MemoryLedger(),
      () => {},
    ),
    redis: () => unavailable("redis"),
    cache: (kind) => (kind === "memory" ? (memory ??= smallCache(clock)) : inRedis()),
    fetch: () => unavailable("fetch"),
    expression: (text) => expressions.compile(text),
    tally: new FindingTally(),
    ...given,
  };
  const environments = new PolicyEnvironments({
    policies: { [policy.name]: policy },
    facilities,
    log: silentLog,
    metrics: MetricView.discarding(),
    files,
    kept: new KeptValues().lease(),
    call,
  });
  const where = place.name === "" ? place.kind : `${place.kind} ${place.name}`;
  return environments.environmentOf(policy, place, `${where}/${policy.name}/0`);
}

function smallCache(clock: PolicyFacilities["clock"]): CacheStore {
  return new MemoryCacheStore(new CacheMemory(4 * 2 ** 20, 1, TEST_SECRET).handle, 1, clock);
}

/** Fails once it is used. */
function unavailable(what: string): never {
  return new Proxy(() => {}, {
    get() {
      throw new Error(`the test gave no ${what}`);
    },
    apply() {
      throw new Error(`the test gave no ${what}`);
    },
  }) as never;
}
