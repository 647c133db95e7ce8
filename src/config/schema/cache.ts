import type { z } from "zod";
import { section } from "../../policy/values/section.ts";
import { size } from "../../policy/values/size.ts";

/** `cache`: where responses are kept. */
export const cache = section({
  memory: size({ minBytes: 1024 ** 2, maxBytes: 16 * 1024 ** 3 })
    .prefault("64mb")
    .describe(
      "Memory for stored responses, in the whole process; taken from the system as it is used. One " +
        "response takes a tenth of it at most.",
    ),
}).transform(({ memory }) => ({ memoryBytes: memory }));

export type CacheConfig = z.output<typeof cache>;
