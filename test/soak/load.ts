import { KnockingClient, LeavingClient, PlainClient, SlowClient, TunnelClient } from "./clients.ts";
import type { ConnectionPlace } from "./soak-connection.ts";
import { SoakRecords } from "./soak-records.ts";
import type { SoakClient } from "./soak-client.ts";

const clientKinds = [
  { kind: "plain", Client: PlainClient, count: 12, tlsCount: 4 },
  { kind: "slow", Client: SlowClient, count: 3, tlsCount: 1 },
  { kind: "leaving", Client: LeavingClient, count: 2, tlsCount: 1 },
  { kind: "tunnel", Client: TunnelClient, count: 6, tlsCount: 2 },
] as const;

export interface LoadPlaces {
  plain: ConnectionPlace;
  tls: ConnectionPlace;
  /** A listener that comes and goes. */
  coming: ConnectionPlace;
}

/** All clients at once, until they are told to stop. */
export class Load {
  readonly records = new SoakRecords();
  private readonly stopper = new AbortController();
  private readonly ended: Promise<unknown>;

  /** @param title begins the names of its connections, which tell them apart in the access log. */
  constructor(title: string, { plain, tls, coming }: LoadPlaces) {
    const { records } = this;
    const { signal } = this.stopper;
    const clients: SoakClient[] = [];
    for (const { kind, Client, count, tlsCount } of clientKinds) {
      for (let number = 0; number < count + tlsCount; number += 1) {
        const isTls = number >= count;
        const name = `${title}-${isTls ? "tls-" : ""}${kind}-${number}`;
        clients.push(new Client({ name, place: isTls ? tls : plain, records, signal }));
      }
    }
    clients.push(new KnockingClient({ name: `${title}-knocking`, place: coming, records, signal }));
    this.ended = Promise.all(clients.map((client) => client.run()));
  }

  /** Lets every client finish what it is at. */
  async stop(): Promise<SoakRecords> {
    this.stopper.abort();
    await this.ended;
    return this.records;
  }
}
