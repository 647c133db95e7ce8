/** A request to a server that is no service of the document: an identity provider, a key server. */
export interface OutboundRequest {
  /** http or https. Redirects are not followed: the answer is theirs. */
  readonly url: string;
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For everything, from the look-up of the name to the last byte; default 5000. */
  readonly timeoutMs?: number;
  /** Of the answer's body, default 1 MiB; a longer one is an error. */
  readonly bytesMax?: number;
  /**
   * May be sent again when a kept connection turns out to have been closed in the meantime. Default:
   * GET and HEAD may.
   */
  readonly isRepeatable?: boolean;
  /** PEM of the only authorities that may vouch for the server; default: those of the platform. */
  readonly ca?: string;
}

export interface OutboundResponse {
  readonly status: number;
  /** By lower-case name; several lines joined by `, `. */
  header(name: string): string | undefined;
  readonly body: Buffer;
}

/**
 * What went wrong, for the log: the message names the server and the reason, and never holds the query, a
 * header or a body, which may be secret. Not for clients.
 */
export class OutboundError extends Error {
  /** Node's code where there is one (`ECONNREFUSED`), else `TIMEOUT`, `TOO_LONG`, `NOT_A_URL`. */
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "OutboundError";
    this.code = code;
  }
}
