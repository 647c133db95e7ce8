import { z } from "zod";
import { duration, durationOr } from "../../policy/values/duration.ts";
import { section } from "../../policy/values/section.ts";

/** Deadlines in place of the service's, ms; 0: none; absent: the service's. */
export interface RouteTimeout {
  responseMs?: number;
  totalMs?: number;
}

const deadlines = section({
  response: duration({ none: true })
    .optional()
    .describe("Time from the request's last byte to the head of the response; then 504."),
  total: duration({ none: true }).optional().describe("Time for everything, retries included."),
});

/** `timeout` of a route, or of one of the ways its requests may go. */
export const routeTimeout = z
  .union([duration({ none: true }).transform((response) => ({ response })), deadlines], {
    error: durationOr("a duration (for the response) or a map of response and total"),
  })
  .transform((value): RouteTimeout => {
    const { response, total } = value as z.output<typeof deadlines>;
    return {
      ...(response === undefined ? {} : { responseMs: response }),
      ...(total === undefined ? {} : { totalMs: total }),
    };
  });
