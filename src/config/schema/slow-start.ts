import { z } from "zod";
import { duration, durationOr } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { percent } from "../../policy/values/percent.ts";
import { section } from "../../policy/values/section.ts";
import type { SlowStartRules } from "../../upstream/balance/rotation-rules.ts";

/** Beyond it nobody would notice that the share grows at all. */
const WINDOW_MS_MAX = 86_400_000;

const between = expected("a number from 0.1 to 10");

const map = section({
  window: duration({ minMs: 1000, maxMs: WINDOW_MS_MAX })
    .prefault("30s")
    .describe("Time until the target has its whole share."),
  aggression: z
    .number({ error: between })
    .min(0.1, { error: between })
    .max(10, { error: between })
    .prefault(1)
    .describe("1: the share grows evenly; above 1 faster at first, below 1 later."),
  least: percent().prefault("10%").describe("Part of its share that the target begins with."),
});

/** `slowStart` of a service: a duration or a map. */
export const slowStart = z
  .union(
    [
      duration({ minMs: 1000, maxMs: WINDOW_MS_MAX }).transform((window) => ({
        ...map.parse({}),
        window,
      })),
      map,
    ],
    { error: durationOr("a duration or { window, aggression, least }") },
  )
  .transform(({ window, ...rest }): SlowStartRules => ({ windowMs: window, ...rest }));
