import type { Exchange } from "../../policy/exchange.ts";
import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import type { LimitSet } from "./limit-set.ts";
import type { Limit, RateLimitOptions } from "./rate-limit-options.ts";

/** What a client has left, between the request and its response. */
interface Standing {
  index: number;
  remaining: number;
  resetSeconds: number;
}

/** Tells clients how much is left, and how much there is. */
export class LimitHeaders {
  private readonly standings: ExchangeMemory<Standing>;
  private readonly send: (exchange: Exchange, standing: Standing) => void;

  constructor(kind: Exclude<RateLimitOptions["headers"], "none">, limits: readonly Limit[]) {
    this.standings = new ExchangeMemory();
    this.send = kind === "draft" ? draftFields(limits) : legacyFields(limits);
  }

  note(exchange: Exchange, { index, remaining, resetMs }: LimitSet): void {
    const resetSeconds = Math.ceil(resetMs / 1000);
    this.standings.set(exchange, { index, remaining, resetSeconds });
  }

  add(exchange: Exchange): void {
    const standing = this.standings.get(exchange);
    if (standing !== undefined) this.send(exchange, standing);
  }
}

/**
 * draft-ietf-httpapi-ratelimit-headers-10: lists of structured fields, to which other uses of the policy and
 * the service may add their own.
 */
function draftFields(limits: readonly Limit[]) {
  const policies = limits.map(policyItem).join(", ");
  const beginnings = limits.map(({ name }) => `"${name}";r=`);
  return ({ response }: Exchange, { index, remaining, resetSeconds }: Standing): void => {
    const { fields } = response;
    fields.add("ratelimit-policy", policies);
    fields.add("ratelimit", `${beginnings[index]!}${remaining};t=${resetSeconds}`);
  };
}

/** A window below a second, or of a part of one, cannot be said: `w` is in whole seconds. */
function policyItem({ name, limit, windowMs }: Limit): string {
  const window = windowMs % 1000 === 0 ? `;w=${windowMs / 1000}` : "";
  return `"${name}";q=${limit}${window}`;
}

/** As many gateways send them; the reset in seconds from now. */
function legacyFields(limits: readonly Limit[]) {
  const sizes = limits.map(({ burst }) => String(burst));
  return ({ response }: Exchange, { index, remaining, resetSeconds }: Standing): void => {
    const { fields } = response;
    fields.set("x-ratelimit-limit", sizes[index]!);
    fields.set("x-ratelimit-remaining", String(remaining));
    fields.set("x-ratelimit-reset", String(resetSeconds));
  };
}
