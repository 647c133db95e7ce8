import { Random } from "../../src/base/random.ts";
import { checkProperties } from "./properties.ts";
import { CHECK_TIMEOUT_MS } from "./simulated-service.ts";
import { simulate, type SimulationRecord } from "./simulation.ts";

const BUDGET = 0.2;
/** What the gateway's one worker has saved up at the beginning. */
const BUDGET_FLOOR = 10;
const TIMES = { troubleMs: 60_000, peaceMs: 90_000, requestsPerSecond: 20 };
/** The longest ejection, the longest open breaker and a slow start, one after the other at worst. */
const RECOVERY_MS = 60_000;

const BALANCES = ["round-robin", "least-requests", "random", "peak-ewma"] as const;

/** What a service may say; which of it, the seed decides. */
const OPTIONS: readonly Record<string, unknown>[] = [
  {
    outliers: {
      consecutive5xx: 3,
      ejection: { base: "5s", max: "20s" },
      maxEjected: "75%",
      failures: { share: "60%", targets: 2, requests: 10 },
      slow: { factor: 3, least: "1s", targets: 2, requests: 5 },
    },
  },
  { breaker: { per: "target", requests: 10, open: "3s", openMax: "15s" } },
  { breaker: { per: "service", requests: 20, open: "3s", openMax: "15s" } },
  { hedge: "500ms" },
  { slowStart: "10s" },
  { concurrency: "adaptive" },
];

const CHECKS = { unhealthy: 2, healthy: 2 };
const STAND_IN_STATUS = 203;

/** What else may be known of targets, and stand in for all of them; the seed decides. */
function surroundingsOf(random: Random) {
  const hasChecks = random.below(2) === 0;
  const panic = random.below(2) === 0 ? 0 : 0.5;
  const kinds = (["service", "respond"] as const).filter(() => random.below(2) === 0);
  const steps = kinds.map((kind) => {
    return kind === "service" ? { service: "backup" } : { respond: { status: STAND_IN_STATUS } };
  });
  const health = { path: "/healthz", interval: "2s", timeout: `${CHECK_TIMEOUT_MS}ms`, ...CHECKS };
  return {
    service: {
      panic: `${panic * 100}%`,
      ...(hasChecks ? { health } : {}),
      ...(steps.length > 0 ? { fallback: steps } : {}),
    },
    expectations: { checks: hasChecks ? CHECKS : null, panic, fallback: kinds },
  };
}

/** A service of four targets with what of the options the seed says. */
function serviceOf(random: Random): Record<string, unknown> {
  const chosen = OPTIONS.filter(() => random.below(2) === 0);
  const retry = {
    attempts: 1 + random.below(3),
    on: ["connect-failure", "refused", "reset", "timeout", "5xx"],
    perTry: "1s",
    budget: `${BUDGET * 100}%`,
  };
  return Object.assign(
    { retry, timeout: "5s", balance: BALANCES[random.below(BALANCES.length)]! },
    ...chosen,
  ) as Record<string, unknown>;
}

/**
 * Runs one schedule of failures and checks what is stated of every one.
 *
 * @throws AssertionError that names the seed
 */
export async function simulateResilientService(seed: number): Promise<SimulationRecord> {
  const random = new Random(seed * 7919);
  const own = serviceOf(random);
  const { service, expectations } = surroundingsOf(random);
  const settings = { ...TIMES, seed, targets: 4, service: { ...own, ...service } };
  const record = await simulate(settings);
  checkProperties(record, settings, {
    budget: BUDGET,
    budgetFloor: BUDGET_FLOOR,
    recoveryMs: RECOVERY_MS,
    standInStatus: STAND_IN_STATUS,
    ...expectations,
  });
  return record;
}
