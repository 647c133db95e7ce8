import { z } from "zod";
import { duration } from "../../../policy/values/duration.ts";
import { expected } from "../../../policy/values/expected.ts";
import { section } from "../../../policy/values/section.ts";
import { choice } from "../../../policy/values/text.ts";
import type {
  PeakEwmaConfig,
  StatelessBalanceConfig,
} from "../../../upstream/balance/balance-config.ts";
import { hashKey } from "./hash-key.ts";

const PLAIN = ["round-robin", "least-requests", "random"] as const;
/** Ways to choose that bind no client. */
export const STATELESS = [...PLAIN, "peak-ewma", "hash"] as const;

const boundedLoad = z
  .number({ error: expected("a number from 1 to 100") })
  .min(1, { error: expected("a number from 1 to 100") })
  .max(100, { error: expected("a number from 1 to 100") })
  .prefault(1.25)
  .describe("Most load of a target as a multiple of the average; past it the next one serves.");

const plainObject = section({ name: choice(PLAIN).describe("The way to choose.") });

const peakEwmaObject = section({
  name: z.literal("peak-ewma").describe("The way to choose."),
  decay: duration({ minMs: 100 })
    .prefault("10s")
    .describe("How long a slow answer is remembered: after this time it weighs 37 %."),
}).transform(({ name, decay }): PeakEwmaConfig => ({ name, decayMs: decay }));

const hashObject = section({
  name: z.literal("hash").describe("The way to choose."),
  by: hashKey
    .prefault("client")
    .describe("What is hashed: `client` (its address), or { header }, { cookie } or { param }."),
  boundedLoad,
});

/** Maps of a way's name and its options. */
export const statelessObjects = [plainObject, peakEwmaObject, hashObject] as const;

/** A way to choose by its name alone, with the defaults of its options. */
export function statelessNamed(name: (typeof STATELESS)[number]): StatelessBalanceConfig {
  if (name === "hash") return hashObject.parse({ name });
  if (name === "peak-ewma") return peakEwmaObject.parse({ name });
  return { name };
}
