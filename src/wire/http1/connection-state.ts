// HOT
/** Where a connection from a client stands. */

/** Between requests. */
export const IDLE = 0;
/** Part of a head has come. */
export const HEAD = 1;
/** An exchange runs and its request body is being read. */
export const BODY = 2;
/** An exchange runs and its request has been read whole. */
export const RESPOND = 3;
export const TUNNEL = 4;
/** The last response is out; what still comes is read past, so that no reset overtakes the response. */
export const LINGER = 5;
export const CLOSED = 6;
/** The response is out before the request was: the little that is left of its body is read past. */
export const DISCARD = 7;
