import { Exchange } from "../proxy/exchange.ts";
import { ProxyRuntime } from "../proxy/proxy-runtime.ts";
import type { ClientStream } from "../wire/exchange-streams.ts";
import type { MemoryClient } from "./memory-client.ts";

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

/** The proxy of a worker with exchanges that can be looked at. Each is new. */
export class ObservingProxy extends ProxyRuntime {
  override acquire(): ObservedExchange {
    return new ObservedExchange(this);
  }

  override release(): void {}
}
