import type { z } from "zod";
import { count } from "../../policy/values/number.ts";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";

/** `limits`: what one client may cost. In the output 0 means no limit. */
export const limits = section({
  headBytes: size({ minBytes: 1024, maxBytes: 1024 ** 2 })
    .prefault("32kb")
    .describe("Most bytes of a request's head, first line and headers together; above it 431."),
  headerCount: count({ min: 8, max: 10_000 })
    .prefault(100)
    .describe("Most header lines of a request; above it 431."),
  uriBytes: size({ minBytes: 128, maxBytes: 1024 ** 2 })
    .prefault("8kb")
    .describe("Most bytes of a request's target; above it 414."),
  bodyBytes: size({ none: true })
    .prefault("none")
    .describe("Most bytes of a request's body; above it 413."),
  connections: count({ min: 1, none: true })
    .prefault("none")
    .describe("Most client connections open at once, in the whole process."),
  connectionRequests: count({ min: 1, none: true })
    .prefault("none")
    .describe("Most requests on one connection before it is closed."),
  streams: count({ min: 1, max: 10_000 })
    .prefault(100)
    .describe("Most requests at once on one HTTP/2 connection."),
  resetStreams: count({ min: 1, max: 1_000_000 })
    .prefault(200)
    .describe("Most HTTP/2 streams a client may reset in ten seconds before it is cut off."),
});

export type LimitsConfig = z.output<typeof limits>;
