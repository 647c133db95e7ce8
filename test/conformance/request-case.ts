/**
 * request-case: one entry of the smuggling corpus: bytes that a client sends on a new connection, and
 * what must come of them.
 */

/** What the service must see of a request that is passed on. */
export interface PassedRequest {
  readonly method: string;
  readonly target: string;
  /** Exact values by lower-case name; the field must be there once. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Lower-case names that must not be there. */
  readonly absent?: readonly string[];
  readonly body?: string;
  /** All lines of the trailer section. */
  readonly trailers?: readonly string[];
}

export interface Verdict {
  /** Requests that reach the service whole, in order. Nothing else may. */
  readonly passed: readonly PassedRequest[];
  /** Statuses of which one is answered after those. Empty: no such answer. */
  readonly refused: readonly number[];
  /** The connection must be closed by the gateway; else it may be, after a refusal. */
  readonly closes: boolean;
  /** Where the standard leaves it open, one of these in place of all the above, and closed. */
  readonly orRefused: readonly number[];
}

export interface RequestCase {
  readonly name: string;
  /** What goes wrong with a server that gets it wrong, or why it is right. */
  readonly why: string;
  /** Each character is a byte. */
  readonly bytes: string;
  readonly verdict: Verdict;
  /** The client ends its side after the bytes; then a refusal may go without an answer. */
  readonly ends: boolean;
}

export function entry(
  name: string,
  why: string,
  bytes: string,
  verdict: Verdict,
  options: { readonly ends?: boolean } = {},
): RequestCase {
  return { name, why, bytes, verdict, ends: options.ends ?? false };
}

/** Refused at once; 400 unless other statuses are given. */
export function refused(...statuses: number[]): Verdict {
  const all = statuses.length === 0 ? [400] : statuses;
  return { passed: [], refused: all, closes: true, orRefused: [] };
}

/** Well framed, so that the connection need not be closed, but not for any service. */
export function turnedAway(...statuses: number[]): Verdict {
  return { ...refused(...statuses), closes: false };
}

/** All of them passed on, and the connection can be used again. */
export function passed(...requests: PassedRequest[]): Verdict {
  return { passed: requests, refused: [], closes: false, orRefused: [] };
}

/** All of them passed on, and then the connection is closed. */
export function passedThenClosed(...requests: PassedRequest[]): Verdict {
  return { ...passed(...requests), closes: true };
}

/** Passed on, and what follows is refused. */
export function passedThenRefused(...requests: PassedRequest[]): Verdict {
  return { ...passed(...requests), refused: [400], closes: true };
}

/** Refusing is as good. */
export function orRefused(verdict: Verdict, ...statuses: number[]): Verdict {
  return { ...verdict, orRefused: statuses.length === 0 ? [400] : statuses };
}

/** The request that nearly all entries build on. */
export function get(target = "/", headers: Readonly<Record<string, string>> = {}): PassedRequest {
  return { method: "GET", target, headers };
}

export function post(body: string, headers: Readonly<Record<string, string>> = {}): PassedRequest {
  return { method: "POST", target: "/", body, headers };
}

/** What an attacker wants the service to take for a request. */
export const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";

/** A POST with these header lines, each with its CRLF, and these bytes after the head. */
export function postHead(lines: string, after = ""): string {
  return `POST / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n${after}`;
}

/** A GET with these header lines, each with its CRLF. */
export function getHead(lines: string, after = ""): string {
  return `GET / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n${after}`;
}

/** A POST whose body is chunked, with these bytes for the body. */
export function chunked(body: string): string {
  return postHead("Transfer-Encoding: chunked\r\n", body);
}
