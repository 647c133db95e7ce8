// HOT
/** One address of a service as one snapshot sees it: what the config says, and the kept state. */
import type { Counter } from "../../base/metrics/metric-view.ts";
import type { Guard, TryObserver } from "../guard.ts";
import type { TargetPool } from "../target-pool.ts";
import type { TargetState } from "./target-state.ts";

export interface TargetSettings {
  service: string;
  /** As configured, canonical: `http://users.internal:3000`, `unix:/run/users.sock`. */
  url: string;
  scheme: "http" | "https" | "h2c" | "unix";
  /** Name or address from the URL, for Host and SNI; empty for a Unix socket. */
  host: string;
  /** What the name resolved to, or `host` itself when that is an address; empty for a Unix socket. */
  address: string;
  /** 0 for a Unix socket. */
  port: number;
  /** Path of the Unix socket; empty for TCP. */
  socketPath: string;
  /** Share of the requests relative to the other targets; 0 is as good as draining. */
  weight: number;
  /** Gets nothing new but from clients that stick to it. */
  draining: boolean;
  /** Lower ones are asked first. */
  priority: number;
  /** Where it is; "" for unknown. */
  zone: string;
}

const NO_OBSERVERS: readonly TryObserver[] = [];
const NO_GUARDS: readonly Guard[] = [];

export class Target {
  readonly service: string;
  readonly url: string;
  readonly scheme: TargetSettings["scheme"];
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly socketPath: string;
  /** Where it really is, `http://10.0.0.7:3000`: one key, one place to connect to. */
  readonly key: string;
  /** Its own name for Host: host, and port where that is not the scheme's; "localhost" for a Unix socket. */
  readonly authority: string;
  readonly weight: number;
  draining: boolean;
  readonly priority: number;
  readonly zone: string;
  readonly state: TargetState;
  /** Place in its balancer's list. */
  readonly index: number;
  /** Its connections; set when the snapshot is compiled. */
  pool: TargetPool | null;
  /** Hear of every try; set with the pool. */
  observers: readonly TryObserver[];
  /** Asked for each try; set with the pool. The next target is taken where one of them refuses. */
  guards: readonly Guard[];
  /** Counts tries by how they ended; set with the pool. */
  results: Counter | null;

  constructor(settings: TargetSettings, state: TargetState, index: number) {
    this.service = settings.service;
    this.url = settings.url;
    this.scheme = settings.scheme;
    this.host = settings.host;
    this.address = settings.address;
    this.port = settings.port;
    this.socketPath = settings.socketPath;
    this.key = targetKey(settings);
    this.authority = targetAuthority(settings);
    this.weight = settings.weight;
    this.draining = settings.draining;
    this.priority = settings.priority;
    this.zone = settings.zone;
    this.state = state;
    this.index = index;
    this.pool = null;
    this.observers = NO_OBSERVERS;
    this.guards = NO_GUARDS;
    this.results = null;
  }

  /** Whether its guards would refuse a try now. */
  refuses(): boolean {
    const { guards } = this;
    for (let index = 0; index < guards.length; index++) {
      if (guards[index]!.refuses?.() === true) return true;
    }
    return false;
  }

  /** Requests in flight, of all workers where they share the count. */
  inFlight(): number {
    return this.state.inFlight();
  }
}

export function targetKey(settings: TargetSettings): string {
  if (settings.scheme === "unix") return `unix:${settings.socketPath}`;
  const { address } = settings;
  const host = address.includes(":") ? `[${address}]` : address;
  return `${settings.scheme}://${host}:${settings.port}`;
}

/** Its own name for Host: host, and port where that is not the scheme's; "localhost" for a Unix socket. */
export function targetAuthority({ scheme, host, port }: TargetSettings): string {
  if (scheme === "unix") return "localhost";
  const name = host.includes(":") ? `[${host}]` : host;
  return port === (scheme === "https" ? 443 : 80) ? name : `${name}:${port}`;
}

/** What a target is known by across snapshots and threads: service, URL and address together. */
export function targetIdentity(settings: TargetSettings): string {
  return `${settings.service} ${settings.url} ${settings.address}`;
}
