import { ExchangeMemory } from "../../policy/exchange-memory.ts";
import type { Exchange } from "../../policy/exchange.ts";

/**
 * Set-Cookie lines for the response of an exchange, whoever makes it. The list is taken before anything is
 * waited for and filled afterwards: by then the exchange itself may be over.
 */
export class PendingCookies {
  private readonly memory = new ExchangeMemory<string[]>();

  of(exchange: Exchange): string[] {
    let lines = this.memory.get(exchange);
    if (lines === undefined) {
      lines = [];
      this.memory.set(exchange, lines);
    }
    return lines;
  }

  addTo(exchange: Exchange): void {
    const lines = this.memory.get(exchange);
    if (lines === undefined || lines.length === 0) return;
    const { fields } = exchange.response;
    for (const line of lines) fields.add("set-cookie", line);
    // A cache that keeps the response would hand the session to the next one who asks.
    fields.set("cache-control", "no-store");
  }
}
