import type { Exchange } from "./exchange.ts";
import { ExchangeMemory } from "./exchange-memory.ts";

interface Waiting {
  readonly key: string;
  /** Of its time; undefined once it has come. */
  timer: NodeJS.Timeout | undefined;
  readonly goOn: () => void;
}

/** Requests whose time has not come. */
export class WaitingRoom {
  private readonly waiting = new ExchangeMemory<Waiting>();

  /** Resolves after `delayMs`, or when the exchange leaves before. */
  async wait(exchange: Exchange, key: string, delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const one: Waiting = { key, timer: undefined, goOn: resolve };
    one.timer = setTimeout(() => {
      one.timer = undefined;
      resolve();
    }, delayMs);
    this.waiting.set(exchange, one);
    await promise;
  }

  /** Ends the wait of an exchange that is over; the key it waited under, undefined if it did not wait. */
  leave(exchange: Exchange): string | undefined {
    const one = this.waiting.get(exchange);
    if (one?.timer === undefined) return undefined;
    clearTimeout(one.timer);
    one.timer = undefined;
    one.goOn();
    return one.key;
  }
}
