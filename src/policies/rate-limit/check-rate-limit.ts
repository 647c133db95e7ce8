import type { OptionMistake, PolicySurroundings } from "../../policy/policy.ts";
import { formatDuration } from "../../policy/values/duration.ts";
import { limitsOf, type Limit, type RateLimitOptions } from "./rate-limit-options.ts";

const DAY_MS = 86_400_000;

/** What each fits the schema and makes no sense together. */
export function checkRateLimit(
  options: RateLimitOptions,
  { hasRedis }: PolicySurroundings,
): OptionMistake[] {
  const limits = limitsOf(options);
  const mistakes = [...besideLimits(options)];
  for (const limit of limits) mistakes.push(...checkLimit(limit, options));
  for (const [index, later] of limits.entries()) {
    for (const earlier of limits.slice(0, index)) mistakes.push(...checkPair(earlier, later));
  }
  if (options.store === "redis" && !hasRedis) {
    mistakes.push({
      path: ["store"],
      message: "there is no Redis to count in",
      hint: "say at the top of the document where it is: redis: redis://HOST",
    });
  }
  return mistakes;
}

function* besideLimits(options: RateLimitOptions): Generator<OptionMistake> {
  if (options.limits === undefined) return;
  for (const key of ["limit", "window", "burst", "name"] as const) {
    if (options[key] === undefined) continue;
    const hint = "make it one of the limits";
    yield { path: [key], message: `${key} stands beside limits and would not hold`, hint };
  }
}

function* checkLimit(limit: Limit, { cost, store }: RateLimitOptions): Generator<OptionMistake> {
  const { algorithm, burst, path, windowMs } = limit;
  if (algorithm !== "token-bucket" && burst !== limit.limit) {
    const message = `a ${algorithm} has no burst`;
    yield { path: [...path, "burst"], message, hint: "add algorithm: token-bucket" };
  }
  if (typeof cost === "number" && cost > burst) {
    const message = `a request costs ${cost}, and no more than ${burst} are ever there`;
    yield { path: ["cost"], message, hint: "every request would be refused" };
  }
  if (cost === 0) {
    yield { path: ["cost"], message: "requests that cost nothing are not limited" };
  }
  if (windowMs > DAY_MS && store === "memory") {
    yield {
      path: [...path, "window"],
      message: "a restart of the gateway forgets what was counted",
      hint: "use the policy quota, or store: redis",
      isWarning: true,
    };
  }
}

/** Of two limits of the same callers, one must not make the other needless. */
function* checkPair(one: Limit, other: Limit): Generator<OptionMistake> {
  if (JSON.stringify(one.by) !== JSON.stringify(other.by)) return;
  const [short, long] = one.windowMs <= other.windowMs ? [one, other] : [other, one];
  if (long.burst <= short.limit && short.algorithm !== "token-bucket") {
    const message = `${shown(short)} is never reached, since ${shown(long)} is used up before`;
    yield { path: short.path, message, hint: "raise the longer limit, or leave this one out" };
    return;
  }
  // A window may be cut by the other's edges, hence one more.
  const most = short.burst + short.limit * Math.ceil(long.windowMs / short.windowMs);
  if (long.limit > most) {
    const message = `${shown(long)} is never reached: ${shown(short)} lets ${most} through at most`;
    yield { path: long.path, message, hint: "lower it, or leave it out" };
  }
}

function shown({ limit, windowMs }: Limit): string {
  return `the limit of ${limit} in ${formatDuration(windowMs)}`;
}
