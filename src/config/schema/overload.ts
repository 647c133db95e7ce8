import { flagOr } from "../../policy/values/flag-or.ts";
import { duration } from "../../policy/values/duration.ts";
import { percent } from "../../policy/values/percent.ts";
import { section } from "../../policy/values/section.ts";
import type { OverloadConfig } from "../../proxy/overload-config.ts";

const overloadObject = section({
  eventLoop: duration({ none: true, minMs: 10 })
    .prefault("100ms")
    .describe("How long events of a worker may wait before requests are refused."),
  memory: percent()
    .prefault("85%")
    .describe(
      "How much of the container's memory, and of a worker's heap, may be used before requests are " +
        "refused; 100%: any.",
    ),
});

/** `overload`: true, false or a map. */
export const overload = flagOr(overloadObject, "{ eventLoop: 200ms }").transform(
  (value): OverloadConfig | false => {
    if (value === false) return false;
    const { eventLoop, memory } = value === true ? overloadObject.parse({}) : value;
    return { eventLoopMs: eventLoop, memoryShare: memory };
  },
);
