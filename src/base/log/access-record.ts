/**
 * What the access log reads of one finished exchange. The proxy's exchange object implements it, so
 * that writing a line copies nothing first. `''` and `-1` stand for "there is none": the field is
 * then left out of the line.
 */
export interface AccessRecord {
  /** When the request's first byte was read, Unix time in milliseconds. */
  readonly startedAtMs: number;
  /** From the request's first byte to the response's last, in microseconds. */
  readonly durationUs: number;
  /** From handing the request to the service to the first byte of its answer, in microseconds, or -1. */
  readonly upstreamUs: number;
  /** The client's address, after trusted proxies were taken into account. */
  readonly clientAddress: string;
  readonly method: string;
  /** `http` or `https`. */
  readonly scheme: string;
  /** As the client sent it, latin1 (one character is one byte on the wire). */
  readonly host: string;
  /** The request's path as received, without the query, latin1. */
  readonly path: string;
  /** What follows the first `?` of the target, without the `?`, latin1. */
  readonly query: string;
  /** `HTTP/1.0`, `HTTP/1.1` or `HTTP/2.0`. */
  readonly protocol: string;
  /** The status sent to the client; 0 when it left before there was one. */
  readonly status: number;
  /** Body bytes sent to the client. */
  readonly responseBodyBytes: number;
  /** What the service said in gRPC: `ok`, `unavailable`; "" for nothing. */
  readonly grpcStatus: string;
  /** Body bytes received from the client. */
  readonly requestBodyBytes: number;
  /** Name of the route that matched. */
  readonly routeName: string;
  readonly serviceName: string;
  /** URL of the target that answered, or of the last one tried. */
  readonly targetUrl: string;
  /** How many targets were tried: 0 when the gateway answered by itself. */
  readonly attempts: number;
  /** How the try failed that was last followed by another: `connect`, `refused`, `reset`, `timeout`, `status`. */
  readonly retriedFor: string;
  /** What stood last against a retry or a hedge that was due, of `gateward_retries_forgone_total`. */
  readonly retryForgone: string;
  /** What became of a second try beside a first that took long: `won`, `lost`, `failed`. */
  readonly hedge: string;
  readonly requestId: string;
  /** Name of the consumer that called. */
  readonly consumer: string;
  /** Who called, as its issuer names it: the subject of a token, the consumer. */
  readonly subject: string;
  /** Which credential of the consumer's it was. */
  readonly credential: string;
  /** The policies that found it out: `api-key`. */
  readonly identityMethod: string;
  /** Code from the fault catalogue, when something went wrong. */
  readonly faultCode: string;
  /** What a service failed with in whose place another answer was sought: a code or a status. */
  readonly failure: string;
  /** What answered in its place: `service`, `respond`, `cached`. */
  readonly fallback: string;
  /** The value of a request header (name in lower case), latin1, `''` when absent. */
  requestHeader(name: string): string;
  /** The value of a response header (name in lower case), latin1, `''` when absent. */
  responseHeader(name: string): string;
}
