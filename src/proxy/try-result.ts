// HOT
import { upstreamResult } from "../base/metrics/families.ts";
import { UPSTREAM_QUEUE_FULL } from "../wire/exchange-streams.ts";

/** How a try ended: positions of `upstreamResult`, as constants for the hot path. */
export const RESULT_OK = upstreamResult.ok;
export const RESULT_SERVER_ERROR = upstreamResult.serverError;
export const RESULT_CONNECT = upstreamResult.connect;
export const RESULT_TIMEOUT = upstreamResult.timeout;
export const RESULT_BROKEN = upstreamResult.broken;
export const RESULT_CANCELLED = upstreamResult.cancelled;
export const RESULT_FULL = upstreamResult.full;

/** How a try ended for which there was no connection. @param cause one of the UPSTREAM_ constants */
export function noStreamResult(cause: number): number {
  return cause === UPSTREAM_QUEUE_FULL ? RESULT_FULL : RESULT_CONNECT;
}
