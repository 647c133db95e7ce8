/** A connection that broke off under a request, a tunnel, or when it was opened. */
export interface Break {
  /** Name of the connection, as its requests tell it in `X-Connection`. */
  connection: string;
  what: string;
  reason: string;
  atMs: number;
  openedAtMs: number;
}

/** What all clients together have seen. */
export class SoakRecords {
  requestCount = 0;
  tunnelCount = 0;
  readonly breaks: Break[] = [];
  /** Answers that are wrong, and requests that failed however often they were tried. */
  readonly failures: string[] = [];
}
