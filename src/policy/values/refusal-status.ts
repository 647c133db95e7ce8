import { z } from "zod";
import { expected } from "./expected.ts";
import type { LimitKeyPart } from "./limit-key.ts";

export type RefusalStatus = 429 | 503;

const HINT = "429: the caller asks too much; 503: the service has enough to do";

/** Schema of the status by which a limit refuses; digits in a string count as well. */
export function refusalStatus() {
  return z
    .union([z.literal(429), z.literal(503), z.literal("429"), z.literal("503")], {
      error: expected("429 or 503", HINT),
    })
    .transform((status) => Number(status) as RefusalStatus);
}

/** What fits what is counted by: limits that all callers share are nobody's fault. */
export function statusFor(
  given: RefusalStatus | undefined,
  by: readonly LimitKeyPart[],
): RefusalStatus {
  const isShared = by.every(({ from }) => from === "all" || from === "route");
  return given ?? (isShared ? 503 : 429);
}
