/** What routing asks of a request. */
export interface RoutingRequest {
  /** As sent; methods are case-sensitive. */
  readonly method: string;
  /** Lower case, without port; an IPv6 address in brackets. */
  readonly host: string;
  /** Normalised, see normalize-path.ts. */
  readonly path: string;
  /** "" for a client on a Unix socket. */
  readonly clientAddress: string;
  /** Value of a header by its lower-case name; several lines joined by `, `. */
  header(name: string): string | undefined;
  /** Decoded first value of a query parameter. */
  query(name: string): string | undefined;
  /** Value of a cookie as sent. */
  cookie(name: string): string | undefined;
}
