import { z } from "zod";
import { suggestion } from "../../../policy/values/did-you-mean.ts";
import { expected } from "../../../policy/values/expected.ts";
import { parsedText } from "../../../policy/values/parsed-text.ts";
import { Refusal } from "../../../policy/values/refusal.ts";
import type { BalanceConfig } from "../../../upstream/balance/balance-config.ts";
import { STATELESS, statelessNamed, statelessObjects } from "./stateless.ts";
import { stickyObject } from "./sticky.ts";

const NAMES = [...STATELESS, "sticky"] as const;

const balanceObject = z.discriminatedUnion("name", [...statelessObjects, stickyObject], {
  error: (issue) => {
    const written = (issue.input as { name?: unknown } | null | undefined)?.name;
    return unknownBalance(written);
  },
});

const bare = parsedText(
  (name): BalanceConfig => {
    const stateless = STATELESS.find((known) => known === name);
    if (stateless !== undefined) return statelessNamed(stateless);
    if (name === "sticky") return stickyObject.parse({ name });
    const [message = "", hint] = unknownBalance(name).split("; ");
    throw new Refusal(message, hint);
  },
  {
    what: "a way to balance",
    hint: `one of ${NAMES.join(", ")}`,
    choices: NAMES,
  },
);

/** `balance` of a service: a name, or a map of the name and its options. */
export const balance: z.ZodType<BalanceConfig, string | z.input<typeof balanceObject>> = z.union(
  [bare, balanceObject],
  { error: expected(`one of ${NAMES.join(", ")}, or a map with its name and options`) },
);

function unknownBalance(written: unknown): string {
  if (typeof written !== "string") return `no name of a way to balance; one of ${NAMES.join(", ")}`;
  return `no balancing named ${JSON.stringify(written)}; ${suggestion(written, NAMES) ?? ""}`;
}
