import { z } from "zod";
import { retryConditions } from "../../upstream/retry/retry-config.ts";
import type { HedgeConfig, RetryConfig } from "../../upstream/retry/retry-config.ts";
import { flagOr } from "../../policy/values/flag-or.ts";
import { duration, parseDuration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { headerName } from "../../policy/values/header.ts";
import { count, flag } from "../../policy/values/number.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { percent } from "../../policy/values/percent.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";

const words = retryConditions.join(", ");

const error = expected("what to retry", `write ${words}, or a status from 400 to 599`);
const status = z.int({ error }).min(400, { error }).max(599, { error });
const condition = z.union([z.enum(retryConditions, { error }), status], { error });
const conditions = z
  .array(condition, { error: expected("a list of what to retry", "begin each with a dash") })
  .min(1, { error: "nothing to retry; write retry: false" });

const backoff = section({
  base: duration()
    .prefault("25ms")
    .describe("Longest wait before the first retry; it doubles with each."),
  max: duration({ maxMs: 60_000 }).prefault("250ms").describe("What it never exceeds."),
});

const keys = {
  attempts: count({ max: 10 }).prefault(2).describe("Most tries after the first."),
  on: conditions
    .prefault(["connect-failure", "refused", "reset", "gateway-error"])
    .describe(`What is tried again: ${words}, or statuses.`),
  backoff: backoff
    .prefault({})
    .describe(
      "Waits at random up to a bound, but where another target is at hand and nothing was sent.",
    ),
  perTry: duration()
    .optional()
    .describe(
      "Time for one try, from the choice of its target to the head of its answer; not while the client sends. Default: none.",
    ),
  retryAfter: duration({ maxMs: 60_000 })
    .prefault("2s")
    .describe(
      "Longest `Retry-After` that is waited for; where it is longer its answer is passed on.",
    ),
  bodyBytes: size({ maxBytes: 16 * 1024 * 1024 })
    .prefault("64kb")
    .describe("Most of a request's body that is kept to be sent again; with more it is sent once."),
  idempotencyKey: headerName()
    .optional()
    .describe("Header that makes a request of any method repeatable. Default: none."),
  unsafe: flag()
    .prefault(false)
    .describe("`true`: requests of any method may reach the service more than once."),
};

const budget = percent()
  .prefault("20%")
  .describe("Most retries and hedges, as a share of the service's requests.");

type RetryParts = z.output<z.ZodObject<typeof keys>>;

function normalised({
  backoff: wait,
  perTry,
  retryAfter,
  idempotencyKey,
  ...rest
}: RetryParts): RetryConfig {
  return {
    ...rest,
    backoff: { baseMs: wait.base, maxMs: wait.max },
    perTryMs: perTry ?? 0,
    retryAfterMs: retryAfter,
    idempotencyKey: idempotencyKey ?? "",
  };
}

/** `retry` of a service, normalised; the budget is the service's alone. */
export interface ServiceRetryConfig extends RetryConfig {
  /** Share of the requests. */
  budget: number;
}

const serviceObject = section({ ...keys, budget });
const routeObject = section(keys);

/** Where nothing is written: only what the service has not begun to work on. */
export const unwrittenRetry = { attempts: 1, on: ["connect-failure" as const, "refused" as const] };

/** `services.NAME.retry` */
export const serviceRetry = flagOr(serviceObject, "{ attempts: 2 }").transform(
  (value): ServiceRetryConfig => {
    const whole = typeof value === "boolean" ? serviceObject.parse(written(value)) : value;
    const { budget: share, ...rest } = whole;
    return { ...normalised(rest), budget: share };
  },
);

/** `routes[].retry`, in place of the service's. */
export const routeRetry = flagOr(routeObject, "{ attempts: 2 }").transform((value): RetryConfig => {
  return normalised(typeof value === "boolean" ? routeObject.parse(written(value)) : value);
});

function written(value: boolean): { attempts?: number } {
  return value ? {} : { attempts: 0 };
}

const hedgeAfter = parsedText(
  (text): HedgeConfig => {
    const parts = /^p(\d{2})$/.exec(text);
    if (parts === null) {
      const afterMs = parseDuration(text);
      if (afterMs >= 5 && afterMs <= 60_000) return { afterMs };
      throw new Refusal(`${text} is no time to hedge after`, "write 5ms to 1m");
    }
    const quantile = Number(parts[1]) / 100;
    if (quantile >= 0.5) return { quantile };
    throw new Refusal(`${text} would send most requests twice`, "write p90, p95 or p99");
  },
  { what: "a duration or p95", hint: "write 200ms or p95", sample: "200ms" },
);

/** `hedge` of a service or a route; null for none. */
export const hedge = z
  .union([hedgeAfter, z.literal(false)], {
    error: expected("a duration, p95 or false", "write 200ms or p95"),
  })
  .transform((value) => (value === false ? null : value));
