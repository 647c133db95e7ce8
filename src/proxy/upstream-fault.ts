// HOT
import { faults } from "../base/faults.ts";
import type { Fault } from "../base/faults.ts";
import {
  UPSTREAM_BROKEN,
  UPSTREAM_CLOSED,
  UPSTREAM_CONNECT_FAILED,
  UPSTREAM_CONNECT_TIMEOUT,
  UPSTREAM_HEAD_TOO_LARGE,
  UPSTREAM_PROTOCOL,
  UPSTREAM_QUEUE_FULL,
  UPSTREAM_REFUSED,
  UPSTREAM_TLS_FAILED,
} from "../wire/exchange-streams.ts";

/** What the client is told when a service failed before its response began. */
export function upstreamFault(cause: number): Fault {
  switch (cause) {
    case UPSTREAM_PROTOCOL:
      return faults["upstream-protocol-error"];
    case UPSTREAM_HEAD_TOO_LARGE:
      return faults["upstream-head-too-large"];
    case UPSTREAM_CONNECT_FAILED:
      return faults["connect-failed"];
    case UPSTREAM_CONNECT_TIMEOUT:
      return faults["connect-timeout"];
    case UPSTREAM_TLS_FAILED:
      return faults["upstream-tls-failed"];
    case UPSTREAM_QUEUE_FULL:
      return faults["queue-full"];
    default:
      return faults["upstream-reset"];
  }
}

/** Whether the target could not be reached at all. */
export function wasConnecting(cause: number): boolean {
  return (
    cause === UPSTREAM_CONNECT_FAILED ||
    cause === UPSTREAM_CONNECT_TIMEOUT ||
    cause === UPSTREAM_TLS_FAILED
  );
}

/** Whether the connection was lost before the head of an answer had come whole. */
export function wasReset(cause: number): boolean {
  return cause === UPSTREAM_CLOSED || cause === UPSTREAM_BROKEN || cause === UPSTREAM_REFUSED;
}

/** RFC 9110 section 9.2.2. */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
    case "PUT":
    case "DELETE":
    case "TRACE":
      return true;
    default:
      return false;
  }
}
