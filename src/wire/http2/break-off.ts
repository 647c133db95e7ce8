/**
 * How to reset a stream whose sending side is still open: by destroying it with one of these errors.
 *
 * `stream.close(code)` of node:http2 ends that side first, with an END_STREAM that reaches the peer before the reset
 * or in place of it, so that a broken body passes for a whole one.
 */
import { EventEmitter, on } from "node:events";

/** The stream is reset with INTERNAL_ERROR. */
export const brokenOff: Error = new Error("broken off");

/** The stream is reset with CANCEL: node:http2 asks whether the error is an AbortError of Node's own. */
export const cancelled: Error = abortError();

function abortError(): Error {
  try {
    on(new EventEmitter(), "never", { signal: AbortSignal.abort() });
  } catch (error) {
    if (error instanceof Error) return error;
  }
  return brokenOff;
}
