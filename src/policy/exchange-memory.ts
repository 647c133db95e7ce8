import type { Exchange } from "./exchange.ts";

/**
 * What a policy keeps for one exchange, from one of its hooks to a later one. Make one in `compile` for
 * each thing to keep; it holds nothing itself.
 */
export class ExchangeMemory<Value> {
  set(exchange: Exchange, value: Value): void {
    exchange.remember(this, value);
  }

  /** undefined when nothing was set for this exchange. */
  get(exchange: Exchange): Value | undefined {
    return exchange.recall(this) as Value | undefined;
  }
}
