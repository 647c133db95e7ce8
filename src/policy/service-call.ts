import type { Exchange } from "./exchange.ts";

/** A request that the gateway makes itself to one of the document's services. */
export interface ServiceRequest {
  /**
   * The exchange that waits for it: once that is over the call is broken off, and rejects with the fault
   * `client-gone`; until then its client counts as this request's in balancing. Absent for what goes on by itself.
   */
  readonly within?: Exchange;
  readonly method: string;
  /** Path and query, as the service is to see them behind its own prefix. */
  readonly target: string;
  /** Host to send; default: as the service's `host` says, with the target's own for "preserve". */
  readonly host?: string;
  /** Lower-case names, in order; framing, Host and hop-by-hop fields are the gateway's. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Buffer;
  /** For everything, retries included; default: the service's own deadlines. */
  readonly timeoutMs?: number;
  /** Of the answer's body, default 1 MiB; a longer one is the fault `answer-too-large`. */
  readonly bytesMax?: number;
}

/** What a service answered, whatever its status. Interim answers and trailers are not shown. */
export interface ServiceAnswer {
  readonly status: number;
  /** Value of a header by lower-case name; several lines joined by `, `. */
  header(name: string): string | undefined;
  /** Calls `visit` for each header line, names in lower case. */
  each(visit: (name: string, value: string) => void): void;
  readonly body: Buffer;
}
