// HOT
import { ShortWait } from "../base/short-waits.ts";

interface Bounded {
  onBound(): void;
}

/** The end of an exchange's time, or of a try's, which no event puts off. Made once for an exchange that needs it. */
export class TimeBound extends ShortWait {
  private readonly exchange: Bounded;

  constructor(exchange: Bounded) {
    super();
    this.exchange = exchange;
  }

  onOver(): void {
    this.exchange.onBound();
  }
}
