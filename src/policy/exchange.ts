import type { Fault } from "../base/faults.ts";
import type { ClientConnection } from "../wire/exchange-streams.ts";
import type { RequestHead } from "../wire/http1/request-head.ts";
import type { ResponseHead } from "../wire/http1/response-head.ts";
import type { BodyStage } from "./body-stage.ts";
import type { Identity } from "./identity.ts";

/** One request and its response, as a policy sees them. Valid until the policy's last hook returned. */
export interface Exchange {
  /** Change its `fields` to change what the service is sent. */
  readonly request: RequestHead;
  /**
   * From `onResponse` on; until then its status is 0. Change its `fields`, or call `setStatus`, to change
   * what the client is sent.
   */
  readonly response: ResponseHead;
  /** As sent; methods are case-sensitive. */
  readonly method: string;
  /** "http" or "https", as told by a trusted proxy or by the connection. */
  readonly scheme: string;
  /** Lower case, without port. */
  readonly host: string;
  /** Host and port, as sent; "" for an HTTP/1.0 request without Host. */
  readonly authority: string;
  /** Normalised, without the query. */
  readonly path: string;
  /** What follows the `?`, as sent but for `removeQuery` and `setQuery`; "" without one. */
  readonly rawQuery: string;
  /** The client's address, after trusted proxies were taken into account; "" for a Unix socket. */
  readonly clientAddress: string;
  /** The connection the request came over: its peer may be a proxy. */
  readonly connection: ClientConnection;
  readonly routeName: string;
  /** "" where the route is not answered by a service. */
  readonly serviceName: string;
  /** Who is calling, as far as an authenticator has found out; null for nobody known. */
  readonly identity: Identity | null;
  /**
   * Says who is calling. What is known already is added to, not replaced.
   *
   * @returns false, and changes nothing, when another consumer is known already.
   */
  identify(identity: Identity): boolean;
  /**
   * Replaces the document's `limits.bodyBytes` for this request, from `onRequest` on; 0 for no limit. What
   * is longer is answered 413 with the problem type `body-too-large`, also within a body whose length was
   * not told beforehand.
   */
  limitBody(bytesMax: number): void;
  /**
   * Has the service fail without being asked, for a drill; from `onRequest` only. Where a target would be chosen, after
   * all policies and stages of the request, `fail` is called instead. Its fault counts as the service's: one whose
   * doing is "upstream" as a failure to answer, any other as an answer of its status. Neither retries nor breakers
   * see it. Of several who want that the first has its way.
   *
   * @param tell is called before any `onResponse`, also where another service answers, which the policy does not see
   */
  failService(fail: (exchange: Exchange) => Fault, tell?: (exchange: Exchange) => void): void;
  /** The request says that a body follows. */
  readonly requestHasBody: boolean;
  /**
   * From `onResponse` on: a body follows the response's head. Not to HEAD, with 204 and 304, in tunnels, nor
   * where its length is 0.
   */
  readonly responseHasBody: boolean;
  /**
   * From `onResponse` on: the response is what a service has answered, just now or before (`Reply.standsIn`). Answers
   * of the gateway are not: refusals, replies of policies, redirects, fixed answers, and faults of a service that has
   * not answered.
   */
  readonly responseIsFromService: boolean;
  /**
   * What the service failed with in whose place another answer has been sought by a `fallback`: a problem type's name
   * or a status. "" where none was needed.
   */
  readonly failure: string;
  /** Whether a `Reply.refresh` can be done now; the worker bounds how many are under way. */
  readonly mayRefresh: boolean;
  /**
   * Has the request's body pass a stage, once all `onRequest` hooks have run; from `onRequest` only. A request
   * without a body passes it as one of no bytes.
   */
  stageRequest(stage: BodyStage): void;
  /**
   * Has the response's body pass a stage, once all `onResponse` hooks have run; from `onResponse` only. Answers
   * of the gateway pass too. A Content-Length is taken away at once, and given again once it is known. Where a
   * response may have no body (to HEAD, 204, 304, tunnels) the stage is disposed unused.
   */
  stageResponse(stage: BodyStage): void;
  /** Keeps a value until the exchange is over; best by an ExchangeMemory. */
  remember(key: object, value: unknown): void;
  /** What was kept under `key`; undefined when nothing was. */
  recall(key: object): unknown;
  /** "HTTP/1.1", "HTTP/2". */
  readonly protocol: string;
  /** The connection comes from one of `trustedProxies`. */
  readonly peerIsTrusted: boolean;
  /** Status sent to the client; 0 until then. */
  readonly status: number;
  /** Made at first use: 16 bytes of hexadecimal, or what a trusted proxy sent as X-Request-Id. */
  readonly requestId: string;
  /** Takes the id from another request header, if a trusted proxy sent a usable one in it. */
  adoptRequestId(header: string): void;
  /** Value of a request header by its lower-case name; several lines joined by `, `. */
  header(name: string): string | undefined;
  /** Decoded first value of a query parameter. */
  query(name: string): string | undefined;
  /** Value of a request cookie, as sent. */
  cookie(name: string): string | undefined;
  /** Takes every query parameter of that name away: services and logs are not told. */
  removeQuery(name: string): void;
  /**
   * Replaces the query that the service is sent, and later policies and logs see.
   *
   * @param query encoded, without the `?`; "" for none
   * @throws TypeError for what cannot stand in a query: a blank, a `#`, a control character
   */
  setQuery(query: string): void;
  /** Takes every request cookie of that name away. */
  removeCookie(name: string): void;
  /** Value of a `:param` or, by "*", of the rest of the path; as normalised, still encoded. */
  param(name: string): string | undefined;
}
