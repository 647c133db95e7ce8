/** resilience-64: what watching over targets costs while nothing fails. */
import type { BenchContext } from "../context.ts";
import { gateward } from "../gateward.ts";
import type { Scenario, ScenarioResult } from "../scenario.ts";
import { compare, type Contender } from "./comparison.ts";

const plainLabel = "gateward, plain";

export const resilience: Scenario = {
  name: "resilience-64",
  title: "100 bytes of JSON: plain, and with health checks, outlier detection, breaker and retries",
  run,
};

/** Lines of the service, behind those that it has anyway. */
const parts = {
  health: "    health: { path: /, interval: 1s }",
  outliers: "    outliers: true",
  breaker: "    breaker: true",
  retry: "    retry: { attempts: 2 }",
};

function run(context: BenchContext): Promise<ScenarioResult> {
  const plain: Contender = {
    label: plainLabel,
    kind: gateward,
    setup: {},
    requests: { path: "/" },
    isRight: () => true,
  };
  const watched = (label: string, lines: readonly string[]): Contender => ({
    ...plain,
    label: `gateward, ${label}`,
    setup: { gatewardLines: lines.join("\n") },
    beside: plainLabel,
  });
  return compare(context, [
    plain,
    watched("breaker", [parts.breaker]),
    watched("outliers", [parts.outliers]),
    { ...watched("all of them", Object.values(parts)), targetRatio: 1.05 },
  ]);
}
