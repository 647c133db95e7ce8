// HOT
import type { DeadlineWheel } from "../base/deadline-wheel.ts";
import type { ClientEvents, ClientStream } from "./exchange-streams.ts";
import type { HeadLimits } from "./http1/parse-request-head.ts";

/** Timeouts of client connections, milliseconds, 0 for none. */
export interface ServerTimeouts {
  /** From the first byte of a head to its end; also from accept to the first head. */
  headMs: number;
  /** Between requests on a kept-alive connection. */
  idleMs: number;
  /** Between two reads of a request body. */
  bodyMs: number;
  /** While the client takes nothing of what was sent. */
  writeMs: number;
}

/** Makes and takes back the proxy's exchange objects, and answers what never becomes an exchange. */
export interface ExchangeSource {
  acquire(): ClientEvents;
  /** For a head that did not become a request. Exchanges that began give themselves back. */
  release(exchange: ClientEvents): void;
  /** A head was refused before there was a request: answers it; the connection closes then. */
  refuse(exchange: ClientEvents, stream: ClientStream, refusal: number): void;
  /** The whole answer, in HTTP/1.1, to a client whose connection is one too many. */
  refuseConnection(): string;
}

/** What all connections of one listener share. A reload changes the values in place. */
export interface ServerContext {
  readonly key: string;
  readonly localPort: number;
  readonly wheel: DeadlineWheel;
  readonly exchanges: ExchangeSource;
  limits: HeadLimits;
  timeouts: ServerTimeouts;
  /** Requests a connection may carry, 0 for any number. */
  connectionRequestsMax: number;
  /** Set while the listener goes away: every response closes its connection. */
  draining: boolean;
}
