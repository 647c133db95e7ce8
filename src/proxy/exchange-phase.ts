// HOT
/** Where an exchange is on its way. Later phases have higher numbers. */

/** Not in use. */
export const FREE = 0;
/** Policies look at the request; nothing has been sent anywhere. */
export const ARRIVED = 1;
/** A connection to a target is awaited. */
export const CONNECTING = 2;
/** The request is being sent or has been; the response's head is awaited. */
export const SENT = 3;
/** The response's head has come; policies may still be looking at it. */
export const ANSWERED = 4;
/** The response's head has been sent to the client. */
export const RESPONDING = 5;
export const TUNNEL = 6;
