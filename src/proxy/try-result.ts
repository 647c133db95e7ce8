import { upstreamResult } from "../base/metrics/families.ts";

/** How a try ended: positions of `upstreamResult`, as constants for the hot path. */
export const RESULT_OK = upstreamResult.ok;
export const RESULT_SERVER_ERROR = upstreamResult.serverError;
export const RESULT_CONNECT = upstreamResult.connect;
export const RESULT_TIMEOUT = upstreamResult.timeout;
export const RESULT_BROKEN = upstreamResult.broken;
export const RESULT_CANCELLED = upstreamResult.cancelled;
