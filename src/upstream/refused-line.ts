// HOT
import { UPSTREAM_QUEUE_FULL } from "../wire/exchange-streams.ts";
import type { PoolClient } from "./target-pool.ts";
import { WaitingLine } from "./waiting-line.ts";

/** To be told in a moment that there is no place left to wait in, unless they leave before. */
export class RefusedLine {
  private readonly line: WaitingLine<PoolClient>;

  constructor() {
    this.line = new WaitingLine();
  }

  push(client: PoolClient): void {
    if (this.line.size === 0) setImmediate(tell, this);
    this.line.push(client);
  }

  remove(client: PoolClient): void {
    if (this.line.size > 0) this.line.remove(client);
  }

  /** @internal What they do about it may get them refused again: those are told another time. */
  tell(): void {
    const { line } = this;
    for (let left = line.size; left > 0; left--) {
      const client = line.shift();
      if (client !== null) client.onNoStream(UPSTREAM_QUEUE_FULL);
    }
    if (line.size > 0) setImmediate(tell, this);
  }
}

function tell(line: RefusedLine): void {
  line.tell();
}
