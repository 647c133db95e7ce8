/**
 * fault-catalogue: every way an exchange can go wrong that Gateward itself answers or logs.
 *
 * The name is the one identifier of a fault: it ends the problem type's URL, it is the flag in the
 * access log, the label in the metrics and the heading in docs/reference/problems.md. A released
 * name never changes its meaning.
 */

/** Who has to act for the fault to go away. */
export type Whose = "client" | "upstream" | "gateway";

/**
 * Whether the request may be sent again, by Gateward or by the client:
 * `always`: no service has seen it; `idempotent`: a service may have acted on it, so only methods
 * that are idempotent (RFC 9110, 9.2.2); `never`: the same request would meet the same answer, or
 * part of a response has gone out already.
 */
export type RetrySafe = "always" | "idempotent" | "never";

export interface FaultText {
  /** Status of the answer; for a fault that is only logged, the status the log shows. */
  readonly status: number;
  readonly title: string;
  readonly whose: Whose;
  readonly retrySafe: RetrySafe;
  /** The connection cannot be used after the answer: where the next request begins is unknown. */
  readonly closes?: boolean;
  /** No answer is sent, because nobody listens any more or a head has already gone out. */
  readonly logOnly?: boolean;
  /** No answer is sent though it could be: the client's request is broken off. */
  readonly breaksOff?: boolean;
  readonly cause: string;
  readonly remedy: string;
}

export const clientFaults = {
  "malformed-request": {
    status: 400,
    title: "Malformed request",
    whose: "client",
    retrySafe: "never",
    closes: true,
    cause:
      "The request breaks the syntax of HTTP in a way that two servers could read differently.",
    remedy: "Correct the client. The member `code` of the answer says which rule it broke.",
  },
  "bad-path": {
    status: 400,
    title: "Bad path",
    whose: "client",
    retrySafe: "never",
    cause:
      "The path holds an encoded slash, an encoded control character, a broken percent sign, or dot segments that leave the root.",
    remedy:
      "Send a plain path, or set `rawPath: true` on a service that needs such paths untouched.",
  },
  "connect-refused": {
    status: 405,
    title: "CONNECT is not allowed",
    whose: "client",
    retrySafe: "never",
    closes: true,
    cause: "The client asked for a tunnel with CONNECT, as if this were a forward proxy.",
    remedy: "Do not configure the gateway as a forward proxy of the client.",
  },
  "no-route": {
    status: 404,
    title: "No such route",
    whose: "client",
    retrySafe: "never",
    cause: "No route matches the host, path and other conditions of the request.",
    remedy: "Compare the request with `gateward routes`, or add a route.",
  },
  "method-not-allowed": {
    status: 405,
    title: "Method not allowed",
    whose: "client",
    retrySafe: "never",
    cause: "A route matches the request except for its method.",
    remedy: "Use one of the methods in the `Allow` header of the answer.",
  },
  "authentication-required": {
    status: 401,
    title: "Authentication required",
    whose: "client",
    retrySafe: "never",
    cause: "The route serves only callers it knows, and the request brought no credential.",
    remedy: "Send one of the kinds that the `WWW-Authenticate` header of the answer names.",
  },
  "invalid-credentials": {
    status: 401,
    title: "Invalid credentials",
    whose: "client",
    retrySafe: "never",
    cause: "The request brought a credential that is unknown, expired, revoked or not well formed.",
    remedy:
      "Send a valid credential. The member `code` of the answer, where there is one, says more.",
  },
  "route-not-in-plan": {
    status: 403,
    title: "Not in your plan",
    whose: "client",
    retrySafe: "never",
    cause: "The caller's plan does not cover the route that the request took.",
    remedy: "Choose another plan, or name the route in `routes` of this one.",
  },
  "identities-differ": {
    status: 403,
    title: "Credentials of different callers",
    whose: "client",
    retrySafe: "never",
    cause: "The request brought several credentials that belong to different consumers.",
    remedy: "Send credentials of one consumer.",
  },
  forbidden: {
    status: 403,
    title: "Forbidden",
    whose: "client",
    retrySafe: "never",
    cause: "The caller is known, or anonymous by choice, and may not do this.",
    remedy: "Ask for the permission that the route demands; `gateward routes --policies` shows it.",
  },
  "request-timeout": {
    status: 408,
    title: "Request timeout",
    whose: "client",
    retrySafe: "never",
    closes: true,
    cause: "The client took too long to send the head or the next part of the body.",
    remedy: "Send faster, or raise `timeouts.head` or `timeouts.body`.",
  },
  "body-too-large": {
    status: 413,
    title: "Request body too large",
    whose: "client",
    retrySafe: "never",
    closes: true,
    cause: "The request body is longer than the limit.",
    remedy: "Send less, or raise `limits.bodyBytes`.",
  },
  "uri-too-long": {
    status: 414,
    title: "Request target too long",
    whose: "client",
    retrySafe: "never",
    closes: true,
    cause: "The request target is longer than the limit.",
    remedy: "Move data from the query into the body, or raise `limits.uriBytes`.",
  },
  "expectation-failed": {
    status: 417,
    title: "Expectation not supported",
    whose: "client",
    retrySafe: "never",
    closes: true,
    cause: "The `Expect` header asks for something other than `100-continue`.",
    remedy: "Send the request without that expectation.",
  },
  "misdirected-request": {
    status: 421,
    title: "Misdirected request",
    whose: "client",
    retrySafe: "never",
    cause: "The request is for a host or scheme that this connection does not serve.",
    remedy: "Open a new connection for that host.",
  },
  "upgrade-refused": {
    status: 403,
    title: "Upgrade refused",
    whose: "client",
    retrySafe: "never",
    cause:
      "The request asks to switch protocols, and the route or its service does not allow that.",
    remedy: "Send the request without `Upgrade`, or route it to a service that speaks HTTP/1.1.",
  },
  "headers-too-large": {
    status: 431,
    title: "Request headers too large",
    whose: "client",
    retrySafe: "never",
    closes: true,
    cause: "The head of the request is too long, or it has too many fields.",
    remedy: "Send fewer or shorter headers, or raise `limits.headBytes` or `limits.headerCount`.",
  },
  "transfer-coding-not-supported": {
    status: 501,
    title: "Transfer coding not supported",
    whose: "client",
    retrySafe: "never",
    closes: true,
    cause: "`Transfer-Encoding` names a coding other than `chunked`.",
    remedy: "Send the body with `Content-Length`, or `chunked` alone.",
  },
  "http-version-not-supported": {
    status: 505,
    title: "HTTP version not supported",
    whose: "client",
    retrySafe: "never",
    closes: true,
    cause: "The request is in a major version of HTTP that the listener does not speak.",
    remedy: "Use HTTP/1.1 or HTTP/2.",
  },
  "client-gone": {
    status: 499,
    title: "Client gone",
    whose: "client",
    retrySafe: "never",
    closes: true,
    logOnly: true,
    cause: "The client closed its connection before it had the whole response.",
    remedy: "Nothing, unless there are many: then the service may be slower than clients bear.",
  },
  "client-stalled": {
    status: 499,
    title: "Client stalled",
    whose: "client",
    retrySafe: "never",
    closes: true,
    logOnly: true,
    cause: "The client stopped reading the response for longer than `timeouts.write`.",
    remedy: "Raise `timeouts.write` if clients are meant to be that slow.",
  },
} as const satisfies Record<string, FaultText>;

export const upstreamFaults = {
  "connect-failed": {
    status: 502,
    title: "Service unreachable",
    whose: "upstream",
    retrySafe: "always",
    cause: "No connection to the service could be opened: refused, no route to it, or no address.",
    remedy: "Check that the service runs and that its target in the config is right.",
  },
  "connect-timeout": {
    status: 504,
    title: "Service did not accept a connection in time",
    whose: "upstream",
    retrySafe: "always",
    cause: "Opening a connection to the service took longer than its `timeout.connect`.",
    remedy: "Check the network and the load of the service, or raise the deadline.",
  },
  "upstream-tls-failed": {
    status: 502,
    title: "Secure connection to the service failed",
    whose: "upstream",
    retrySafe: "always",
    cause: "The TLS handshake with the service failed, or its certificate is not trusted.",
    remedy: "Set `tls.ca` and `tls.serverName` of the service to match its certificate.",
  },
  "upstream-reset": {
    status: 502,
    title: "Service closed the connection",
    whose: "upstream",
    retrySafe: "idempotent",
    cause: "The service closed the connection before it sent a whole response head.",
    remedy: "Look for crashes or short keep-alive times in the service.",
  },
  "upstream-protocol-error": {
    status: 502,
    title: "Service sent an invalid response",
    whose: "upstream",
    retrySafe: "never",
    cause: "The service sent bytes that are not a valid HTTP response.",
    remedy: "Correct the service; `curl -v --raw` to it shows what it sends.",
  },
  "upstream-head-too-large": {
    status: 502,
    title: "Service sent too large a response head",
    whose: "upstream",
    retrySafe: "never",
    cause: "The response head is longer than the limit, or has too many fields.",
    remedy: "Have the service send fewer headers, or raise `limits.headBytes`.",
  },
  "request-send-timeout": {
    status: 504,
    title: "Service did not take the request in time",
    whose: "upstream",
    retrySafe: "idempotent",
    cause: "The service stopped reading the request for longer than its `timeout.request`.",
    remedy: "Look for overload in the service, or raise the deadline.",
  },
  "response-timeout": {
    status: 504,
    title: "Service did not answer in time",
    whose: "upstream",
    retrySafe: "idempotent",
    cause: "No response head came within the service's `timeout.response`.",
    remedy: "Make the service faster, or raise the deadline.",
  },
  "total-timeout": {
    status: 504,
    title: "Request took too long",
    whose: "upstream",
    retrySafe: "idempotent",
    cause: "The whole exchange, retries included, took longer than `timeout.total`.",
    remedy: "Make the service faster, or raise the deadline.",
  },
  "response-cut": {
    status: 502,
    title: "Response cut short",
    whose: "upstream",
    retrySafe: "never",
    closes: true,
    logOnly: true,
    cause:
      "The service broke off or corrupted the response body after its head had gone to the client.",
    remedy: "Look for crashes in the service. The client saw the connection or stream break.",
  },
  "response-stalled": {
    status: 504,
    title: "Response stalled",
    whose: "upstream",
    retrySafe: "never",
    closes: true,
    logOnly: true,
    cause: "The service sent no further part of the response body for longer than `timeout.idle`.",
    remedy: "Raise `timeout.idle` for services that are silent for long, such as event streams.",
  },
  "answer-too-large": {
    status: 502,
    title: "Service gave too long an answer",
    whose: "upstream",
    retrySafe: "never",
    cause:
      "A service that the gateway itself asked, on behalf of a policy, answered with a longer body than the policy takes.",
    remedy: "Have the service answer more briefly, or raise the limit of the policy.",
  },
  "no-target": {
    status: 503,
    title: "Service unavailable",
    whose: "upstream",
    retrySafe: "always",
    cause: "The service has no target that may be used: none is configured, resolved or undrained.",
    remedy: "Add a target, or see why its name does not resolve.",
  },
  "queue-full": {
    status: 503,
    title: "Service overloaded",
    whose: "upstream",
    retrySafe: "always",
    cause:
      "All connections to the service are busy, and as many requests as allowed are waiting for one.",
    remedy: "Add targets, or raise `connections.max` or `connections.waiting` of the service.",
  },
  "queue-timeout": {
    status: 503,
    title: "No connection to the service became free in time",
    whose: "upstream",
    retrySafe: "always",
    cause: "The request waited for a free connection to the service until its deadline.",
    remedy: "Add targets, or raise `connections.max` of the service.",
  },
  "service-overloaded": {
    status: 503,
    title: "Service has as much as it can do",
    whose: "upstream",
    retrySafe: "always",
    cause:
      "As many requests are under way as the service's `concurrency` lets it have at the request's priority, because answers come more slowly above that.",
    remedy: "Add targets or make the service faster; give routes that matter more a `priority`.",
  },
  "breaker-open": {
    status: 503,
    title: "Service is given time to recover",
    whose: "upstream",
    retrySafe: "always",
    cause:
      "Too many requests to the service failed or were slow, so its `breaker` sends it none for a while, or only a few trials.",
    remedy:
      "Look into the service; the log tells when the breaker opened and why. Try again after `Retry-After`.",
  },
  "service-busy": {
    status: 503,
    title: "Service busy",
    whose: "upstream",
    retrySafe: "always",
    cause:
      "As many requests to the service are in flight as its `connections.inFlight` or `connections.inFlightPerTarget` allows.",
    remedy: "Try again after `Retry-After`; add targets, or raise the limit.",
  },
} as const satisfies Record<string, FaultText>;

export const gatewayFaults = {
  "internal-error": {
    status: 500,
    title: "Internal error",
    whose: "gateway",
    retrySafe: "never",
    cause: "Gateward or one of its policies failed; the log has the error under the request id.",
    remedy: "Report it with the log line.",
  },
  "limits-unavailable": {
    status: 503,
    title: "Limits cannot be checked",
    whose: "gateway",
    retrySafe: "always",
    cause:
      "Redis, which keeps the counts of `rate-limit` or `quota`, is away, and `whenStoreIsAway` is `deny`.",
    remedy:
      "Bring Redis back; its trouble is in the gateway's log. Or let `whenStoreIsAway` be `local`.",
  },
  "too-many-connections": {
    status: 503,
    title: "Too many connections",
    whose: "gateway",
    retrySafe: "always",
    closes: true,
    cause: "The listener already serves as many connections as `limits.connections` allows.",
    remedy: "Raise the limit, or look for clients that leave connections open.",
  },
  "gateway-overloaded": {
    status: 503,
    title: "Gateway overloaded",
    whose: "gateway",
    retrySafe: "always",
    cause: "A worker's events wait, or memory fills, beyond what `overload` allows.",
    remedy: "Add workers or machines; give routes that matter more a `priority`.",
  },
  "loop-detected": {
    status: 508,
    title: "Loop detected",
    whose: "gateway",
    retrySafe: "never",
    cause:
      "By its `Via` header the request has passed Gateward more than ten times: a target leads back to it.",
    remedy: "Correct the target that points at the gateway itself, or at a proxy in front of it.",
  },
} as const satisfies Record<string, FaultText>;

/**
 * Codes of `malformed-request`: the rule of RFC 9112 or RFC 9110 that was broken, and the sentence
 * the client is told.
 */
export const malformedRequestCodes = {
  "request-line": "The request line is not `method SP target SP HTTP/1.1`.",
  "http-0.9": "A request line without a version (HTTP/0.9) is not served.",
  method: "The method holds a character that a token may not have.",
  target: "The request target holds a character or a form that is not allowed.",
  version: "The version in the request line is not of the form HTTP/1.1.",
  "bare-lf": "A line ends in LF without CR.",
  "bare-cr": "A CR stands without LF.",
  "obs-fold": "A header line begins with white space (obsolete line folding).",
  "header-without-colon": "A header line has no colon.",
  "header-name": "A header name is empty or holds a character that a token may not have.",
  "space-before-colon": "White space stands between a header name and its colon.",
  "header-value": "A header value holds a control character.",
  "host-missing": "An HTTP/1.1 request has no Host header.",
  "host-doubled": "The request has more than one Host header.",
  "host-invalid":
    "The Host header, or the authority of the target, is not a host with an optional port.",
  "content-length-invalid": "Content-Length is not a plain decimal number.",
  "content-length-doubled": "The request has more than one Content-Length.",
  "content-length-and-transfer-encoding":
    "The request has both Content-Length and Transfer-Encoding.",
  "transfer-encoding": "Transfer-Encoding is not exactly one `chunked`.",
  "transfer-encoding-in-http-1.0": "An HTTP/1.0 request has Transfer-Encoding.",
  "chunk-size": "A chunk size is not a hexadecimal number, or is too large.",
  "chunk-extension": "A chunk extension is too long or holds a control character.",
  "chunk-end": "A chunk is not followed by CRLF.",
  trailer: "A trailer line is malformed, or names a field that may not be a trailer.",
  connection: "The Connection header is malformed, or names a field that frames the message.",
} as const;
