import type { Exchange } from "../../policy/exchange.ts";
import type { QuotaOptions } from "./quota-options.ts";
import type { Usage } from "./quota-keeper.ts";

/** Tells clients how much is left, and how much there is. */
export type QuotaHeaders = (exchange: Exchange, usage: Usage, nowMs: number) => void;

export function quotaHeaders(options: QuotaOptions): QuotaHeaders | null {
  if (options.headers === "none" || options.dryRun) return null;
  return options.headers === "draft" ? draftFields(options) : legacyFields(options);
}

/**
 * draft-ietf-httpapi-ratelimit-headers-10: lists of structured fields, to which other policies and the
 * service may add their own.
 */
function draftFields({ name, period, limit }: QuotaOptions): QuotaHeaders {
  const item = `"${name ?? period}"`;
  return ({ response: { fields } }, usage, nowMs) => {
    const { startMs, endMs } = usage.period;
    fields.add("ratelimit-policy", `${item};q=${limit};w=${Math.round((endMs - startMs) / 1000)}`);
    fields.add("ratelimit", `${item};r=${leftOf(usage, limit)};t=${secondsUntil(endMs, nowMs)}`);
  };
}

/** As many gateways send them; the reset in seconds from now. */
function legacyFields({ limit }: QuotaOptions): QuotaHeaders {
  const size = String(limit);
  return ({ response: { fields } }, usage, nowMs) => {
    fields.set("x-ratelimit-limit", size);
    fields.set("x-ratelimit-remaining", String(leftOf(usage, limit)));
    fields.set("x-ratelimit-reset", String(secondsUntil(usage.period.endMs, nowMs)));
  };
}

function leftOf({ used }: Usage, limit: number): number {
  return Math.max(0, Math.floor(limit - used));
}

function secondsUntil(endMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((endMs - nowMs) / 1000));
}
