import type { z } from "zod";
import { duration } from "../../policy/values/duration.ts";
import { inMs, section } from "../../policy/values/section.ts";

/** `timeouts`: how long clients may take. In the output 0 means no limit (but shutdown: at once). */
export const timeouts = section({
  head: duration().prefault("10s").describe("Time to receive a whole request head; then 408."),
  idle: duration({ none: true })
    .prefault("75s")
    .describe("Time a kept-alive connection may stay without a request."),
  body: duration({ none: true })
    .prefault("30s")
    .describe("Time between two pieces of a request's body; then 408."),
  write: duration({ none: true })
    .prefault("30s")
    .describe("Time a client may read nothing of what waits for it."),
  tunnel: duration({ none: true })
    .prefault("10m")
    .describe("Time an upgraded connection (WebSocket) may stay silent both ways."),
  tlsHandshake: duration().prefault("10s").describe("Time to finish a TLS handshake."),
  shutdown: duration({ minMs: 0 })
    .prefault("30s")
    .describe("Time for requests in flight to finish when the gateway is told to end."),
}).transform(inMs);

export type TimeoutsConfig = z.output<typeof timeouts>;
