/** A request to a server that is no service of the document: an identity provider, a key server. */
export interface OutboundRequest {
  /** http or https. Redirects are not followed. */
  readonly url: string;
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For everything, default 5000. */
  readonly timeoutMs?: number;
  /** Of the answer's body, default 1 MiB; a longer one is an error. */
  readonly bytesMax?: number;
}

export interface OutboundResponse {
  readonly status: number;
  /** By lower-case name; several lines joined by `, `. */
  header(name: string): string | undefined;
  readonly body: Buffer;
}
