// HOT
/** The cells of a target's record that outlier detection has, after `EJECTED_UNTIL`. */
import { OUTLIER } from "../target-record.ts";

/** Failures since the last success: of any kind, of gateways, without an answer. */
export const FAILURES_5XX = OUTLIER + 1;
export const FAILURES_GATEWAY = OUTLIER + 2;
export const FAILURES_LOCAL = OUTLIER + 3;
/** By how many times the base ejection time the next one is longer; falls with each interval without one. */
export const EJECTIONS = OUTLIER + 4;
export const EJECTED_AT = OUTLIER + 5;
/** Position of the reason in `ejectionReason`. */
export const EJECTED_FOR = OUTLIER + 6;
/** Of the interval under way: tries that ended, those that failed, answers and the sum of their latencies in ms. */
export const INTERVAL_TRIES = OUTLIER + 7;
export const INTERVAL_FAILED = OUTLIER + 8;
export const INTERVAL_ANSWERS = OUTLIER + 9;
export const INTERVAL_MS = OUTLIER + 10;
