// HOT
import { ShortWait } from "../base/short-waits.ts";

interface Waiting {
  onWaitOver(): void;
}

/** Until an exchange tries again, or tries a second target. Made once for an exchange that needs it. */
export class TryWait extends ShortWait {
  private readonly exchange: Waiting;

  constructor(exchange: Waiting) {
    super();
    this.exchange = exchange;
  }

  onOver(): void {
    this.exchange.onWaitOver();
  }
}
