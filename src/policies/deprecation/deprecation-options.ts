import { z } from "zod";
import { date } from "../../policy/values/date.ts";
import { duration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { percent } from "../../policy/values/percent.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";

/** RFC 3986: visible ASCII; without what would end the link in its header. */
const REFERENCE = /^(?:https?:\/\/[^/]|\/)[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]*$/;

function link() {
  const hint = "write it like https://api.example.com/v2/orders or /v2/orders";
  return parsedText(
    (written) => {
      if (REFERENCE.test(written)) return written;
      throw new Refusal(`${JSON.stringify(written)} is no address`, hint);
    },
    { what: "an address", hint, sample: "https://api.example.com/v2/orders" },
  );
}

const window = section({
  from: date().describe("First moment at which requests are refused."),
  until: date().describe("First moment at which they are not."),
});

const brownouts = section({
  windows: z
    .array(window, {
      error: expected(
        "a list of windows",
        "write it like [{ from: 2027-01-01T12:00:00Z, until: 2027-01-01T13:00:00Z }]",
      ),
    })
    .prefault([])
    .describe("Times in which all requests are refused."),
  from: date()
    .optional()
    .describe("When a part of each `every` begins to be refused, which grows until `sunset`."),
  every: duration({ minMs: 60_000 })
    .prefault("1h")
    .describe("Each begins with the part that is refused; counted from 1970 in UTC."),
  shareMax: percent().prefault("50%").describe("How large that part has become at `sunset`."),
});

export const deprecationOptions = section({
  since: date().optional().describe("Since when clients should not use it, or from when on."),
  sunset: date().optional().describe("When it may be gone."),
  after: z
    .union([z.literal("serve"), z.literal(410), z.literal("410").transform((): 410 => 410)], {
      error: expected("serve or 410"),
    })
    .prefault("serve")
    .describe("What becomes of requests from `sunset` on: `serve`, or `410` to refuse them."),
  successor: link().optional().describe("What to use instead."),
  info: link().optional().describe("A page about the deprecation."),
  sunsetInfo: link().optional().describe("A page about when and why it ends."),
  brownouts: brownouts
    .optional()
    .describe("Refusals before the end, by which those who have missed the news are told."),
  callerLog: z
    .union([z.literal(false), duration({ minMs: 1000 })], {
      error: expected("a duration or false"),
    })
    .prefault("1h")
    .describe("How often the gateway's log says who still calls; `false` for never."),
});

export type DeprecationOptions = z.output<typeof deprecationOptions>;
export type Brownouts = z.output<typeof brownouts>;
