// HOT
/**
 * What the cells of a shared record (`base/shared-records.ts`) mean. Targets have one each, by the slot of their
 * count of requests in flight; services have one, by a slot of their own.
 */

/** What active checks say: one of the HEALTH_ values. Written by the main thread alone. */
export const HEALTH = 0;
/** Tick at which the target was last found healthy again, or returned from an ejection: it starts slowly. 0: never. */
export const RETURNED_AT = 1;
/** First of 14 cells of outlier detection; the rest of them in `outliers/outlier-record.ts`. */
export const OUTLIER = 2;
/** Tick until which the target is ejected; 0: it is not. Past: it is back, and nobody has written that down yet. */
export const EJECTED_UNTIL = OUTLIER;
/** Of a service's record: how many of its targets are ejected. */
export const SERVICE_EJECTED = OUTLIER + 1;
/** First of 48 cells of a circuit breaker. */
export const BREAKER = 16;

export const HEALTH_UNKNOWN = 0;
export const HEALTH_UP = 1;
export const HEALTH_DOWN = 2;
