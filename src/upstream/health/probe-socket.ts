import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { failed, type ProbeOutcome } from "./probe.ts";

/** Where a check connects to. */
export interface ProbePlace {
  /** Address; "" for a Unix socket. */
  readonly host: string;
  readonly port: number;
  /** Of the Unix socket; "" for TCP. */
  readonly path: string;
  /** For `tls.connect`, but for the place; null in clear text. */
  readonly tls: (() => ConnectionOptions) | null;
}

/** A connection of its own for one check: what it is to find out is whether a new client is served. */
export function openProbeSocket({ host, port, path, tls }: ProbePlace): Socket {
  const place = path === "" ? { host, port } : { path };
  return tls === null ? connect(place) : connectTls({ ...tls(), ...place });
}

/** Tells a connection that could not be had from one that broke. */
export class ConnectionWatch {
  private isConnected = false;

  constructor(socket: Socket, { tls }: ProbePlace) {
    const connected = (): void => void (this.isConnected = true);
    socket.once(tls === null ? "connect" : "secureConnect", connected);
  }

  /** What an error on the connection, or its end before an answer, means for the check. */
  outcomeOf(error: Error | null): ProbeOutcome {
    const reason = error === null ? "closed before an answer" : wordsOf(error);
    return failed(this.isConnected ? "broken" : "connect", reason);
  }
}

/** Codes where there are any: messages repeat the address, and may quote what was sent. */
function wordsOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}
