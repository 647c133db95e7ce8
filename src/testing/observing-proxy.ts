import { Random } from "../base/random.ts";
import { ShortWaits } from "../base/short-waits.ts";
import type { DeadlineWheel } from "../base/deadline-wheel.ts";
import type { Log } from "../base/log/log.ts";
import { Exchange } from "../proxy/exchange.ts";
import { ProxyRuntime } from "../proxy/proxy-runtime.ts";
import type { ClientStream } from "../wire/exchange-streams.ts";
import type { MemoryClient } from "./memory-client.ts";
import type { TestClock } from "./test-clock.ts";

/** An exchange that tells its client, once it is over, how the gateway saw it. */
export class ObservedExchange extends Exchange {
  client: MemoryClient | null = null;

  protected override settle(stream: ClientStream | null): void {
    super.settle(stream);
    if (this.client === null) return;
    this.client.outcome = {
      route: this.routeName,
      service: this.serviceName,
      identity: this.identity,
      requestId: this.requestId,
      clientAddress: this.clientAddress,
      fault: this.fault === null ? "" : this.fault.name,
      attempts: this.attempts,
    };
  }
}

/** The proxy of a worker with exchanges that can be looked at, in the test's time. Each is new. */
export class ObservingProxy extends ProxyRuntime {
  private readonly clock: TestClock;

  constructor(wheel: DeadlineWheel, log: Log, clock: TestClock) {
    super(wheel, log, new ShortWaits(() => clock.now()), new Random(1));
    this.clock = clock;
    clock.onStep(() => this.waits.advance());
  }

  override now(): number {
    return this.clock.now();
  }

  override acquire(): ObservedExchange {
    return new ObservedExchange(this);
  }

  override release(): void {}
}
