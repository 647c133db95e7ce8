import { z } from "zod";
import { flagOr } from "../../policy/values/flag-or.ts";
import { duration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { count, flag } from "../../policy/values/number.ts";
import { percent } from "../../policy/values/percent.ts";
import { section } from "../../policy/values/section.ts";
import type { OutlierRules } from "../../upstream/outliers/outlier-rules.ts";

const inARow = () => count({ min: 1, max: 10_000, none: true });
const targets = () =>
  count({ min: 2, max: 10_000 })
    .prefault(5)
    .describe("Least targets that have enough requests; with fewer nothing is said.");
const requests = (least: number) =>
  count({ min: 1, max: 1_000_000 })
    .prefault(least)
    .describe("Least requests of a target within an interval for it to count.");

const factor = (standard: number, what: string) =>
  z
    .number({ error: expected("a number from 0.1 to 100") })
    .min(0.1, { error: expected("a number from 0.1 to 100") })
    .max(100, { error: expected("a number from 0.1 to 100") })
    .prefault(standard)
    .describe(what);

/** `false`, `true` for the defaults, or a map such as `example`. */
function rule<Shape extends z.core.$ZodLooseShape>(shape: Shape, example: string) {
  const map = section(shape);
  type Rule = z.output<typeof map>;
  return flagOr(map, example).transform((value): Rule | null => {
    if (typeof value === "boolean") return value ? map.parse({}) : null;
    return value;
  });
}

const map = section({
  consecutive5xx: inARow()
    .prefault(5)
    .describe("Failures in a row, of any kind: status 500 and above, or no answer."),
  consecutiveGateway: inARow()
    .prefault(5)
    .describe("Statuses 502, 503 and 504 or no answer, in a row."),
  consecutiveLocal: inARow()
    .prefault(5)
    .describe("Tries without an answer in a row: connecting, timeouts, connections that break."),
  interval: duration({ minMs: 1000, maxMs: 300_000 })
    .prefault("10s")
    .describe("How often the rules below are asked, of what has happened since."),
  ejection: section({
    base: duration({ minMs: 100, maxMs: 86_400_000 })
      .prefault("30s")
      .describe("Length of the first ejection; the second is twice as long, and so on."),
    max: duration({ minMs: 100, maxMs: 86_400_000 })
      .prefault("5m")
      .describe("Longest ejection. Each interval without one takes `base` back off the next."),
    endsWhenHealthy: flag()
      .prefault(true)
      .describe(
        "A health check that passes ends it; `false` where checks do not see what requests meet.",
      ),
  })
    .prefault({})
    .describe("How long a target is left out."),
  maxEjected: percent()
    .prefault("10%")
    .describe("Most of the service's targets that are ejected at once; one always may be."),
  successRate: rule(
    {
      factor: factor(1.9, "Standard deviations below the mean of the targets' success rates."),
      targets: targets(),
      requests: requests(100),
    },
    "{ factor: 1.9 }",
  )
    .prefault(true)
    .describe("Eject whose success rate is far below that of the others."),
  failures: rule(
    {
      share: percent().prefault("85%").describe("Share of a target's requests that failed."),
      targets: targets(),
      requests: requests(50),
    },
    "{ share: 85% }",
  )
    .prefault(false)
    .describe("Eject who fails more than a share of its requests."),
  slow: rule(
    {
      factor: factor(3, "Times the median of the targets' mean latencies."),
      least: duration().prefault("500ms").describe("Below this mean latency nobody is slow."),
      targets: count({ min: 2, max: 10_000 })
        .prefault(3)
        .describe("Least targets that have enough answers; with fewer nothing is said."),
      requests: requests(20),
    },
    "{ factor: 3 }",
  )
    .prefault(false)
    .describe("Eject whose answers take far longer than those of the others."),
}).transform(({ interval, ejection, slow, ...rest }, context): OutlierRules => {
  if (ejection.base > ejection.max) {
    const params = { hint: "raise max, or lower base" };
    const message = "the first ejection would be longer than the longest";
    context.issues.push({
      code: "custom",
      message,
      params,
      input: ejection,
      path: ["ejection", "base"],
    });
    return z.NEVER;
  }
  const { base, max, endsWhenHealthy } = ejection;
  const slowRule = slow === null ? null : slowOf(slow);
  return {
    ...rest,
    intervalMs: interval,
    baseMs: base,
    maxMs: max,
    endsWhenHealthy,
    slow: slowRule,
  };
});

function slowOf<Rest>({ least, ...rest }: Rest & { least: number }) {
  return { ...rest, leastMs: least };
}

/** `outliers` of a service: `true`, `false` or a map; null for none. */
export const outliers = flagOr(map, "{ consecutive5xx: 5 }").transform(
  (value): OutlierRules | null => {
    if (typeof value !== "boolean") return value;
    return value ? map.parse({}) : null;
  },
);
