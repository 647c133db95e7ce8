import type { PolicyEnvironment } from "./environment.ts";
import type { Exchange } from "./exchange.ts";

/** What a request counts where its expression fails, or gives no number of 0 or more. */
const COST_UNKNOWN = 1;

export type RequestCost = (exchange: Exchange) => number;

/** @throws Refusal for a text that is no expression */
export function requestCost(
  cost: number | string,
  { expression }: Pick<PolicyEnvironment, "expression">,
): RequestCost {
  if (typeof cost === "number") return () => cost;
  const compiled = expression(cost);
  return (exchange) => {
    try {
      const value = Number(compiled.evaluate(exchange));
      return value >= 0 && value < Infinity ? value : COST_UNKNOWN;
    } catch {
      return COST_UNKNOWN;
    }
  };
}
