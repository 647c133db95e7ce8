// HOT
/**
 * performance.now(), read once for each event that is delivered: all that happens to a request within
 * one event has the same time, and a reading costs more than the steps between.
 */

let delivering = false;
let read = false;
let nowMs = 0;

/** A read or another event of a connection is about to be worked on. */
export function startDelivery(): void {
  delivering = true;
  read = false;
}

export function endDelivery(): void {
  delivering = false;
}

/** Milliseconds of the clock of performance.now(). */
export function eventNow(): number {
  if (!delivering) return performance.now();
  if (!read) {
    nowMs = performance.now();
    read = true;
  }
  return nowMs;
}
