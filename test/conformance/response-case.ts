/**
 * response-case: one entry of the response corpus: bytes that a service sends in answer to a request,
 * and what the client may get of them.
 */

export type ResponseVerdict =
  /** This response, whole. */
  | { readonly kind: "whole"; readonly status: number; readonly body: string }
  /** 502, and nothing of what the service said. */
  | { readonly kind: "refused" }
  /** 502, or a response that the client sees break off: never one that looks whole. */
  | { readonly kind: "broken" };

export interface ResponseCase {
  readonly name: string;
  readonly why: string;
  /** Each character is a byte. */
  readonly bytes: string;
  readonly verdict: ResponseVerdict;
  /** The standard leaves it open to refuse it with 502. */
  readonly orRefused: boolean;
  readonly method: "GET" | "HEAD";
  /** What the service does after the bytes. */
  readonly then: "stays" | "ends" | "resets";
  /** Statuses of the informational responses that the client gets before. */
  readonly informational: readonly number[];
  /** There are bytes behind the response, so the gateway must close the service's connection. */
  readonly surplus: boolean;
}

export const refused: ResponseVerdict = { kind: "refused" };
export const broken: ResponseVerdict = { kind: "broken" };

export function whole(body: string, status = 200): ResponseVerdict {
  return { kind: "whole", status, body };
}

export function answer(
  name: string,
  why: string,
  bytes: string,
  verdict: ResponseVerdict,
  options: Partial<ResponseCase> = {},
): ResponseCase {
  return {
    name,
    why,
    bytes,
    verdict,
    orRefused: false,
    method: "GET",
    then: "stays",
    informational: [],
    surplus: false,
    ...options,
  };
}

/** A response with this status line and a body of five bytes. */
export function withStatusLine(line: string): string {
  return `${line}\r\nContent-Length: 5\r\n\r\nhello`;
}

/** A response with these field lines, each with its CRLF, and what follows the head. */
export function withFields(lines: string, after = "hello"): string {
  return `HTTP/1.1 200 OK\r\n${lines}\r\n${after}`;
}

/** A response with a chunked body of these bytes. */
export function chunked(body: string): string {
  return withFields("Transfer-Encoding: chunked\r\n", body);
}

/** What must never come as the answer to another request. */
export const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
