import type { OptionMistake, PolicySurroundings } from "../../policy/policy.ts";
import type { QuotaOptions } from "./quota-options.ts";

/** What each fits the schema and makes no sense together. */
export function checkQuota(
  { limit, cost, store, whenStoreIsAway, count = [], period, timezone }: QuotaOptions,
  { hasRedis }: PolicySurroundings,
): OptionMistake[] {
  const mistakes: OptionMistake[] = [];
  if (store === "redis" && !hasRedis) {
    const hint = "say at the top of the document where it is: redis: redis://HOST";
    mistakes.push({ path: ["store"], message: "there is no Redis to count in", hint });
  }
  if (store === "memory" && whenStoreIsAway !== "local") {
    const message = "whenStoreIsAway has no effect without Redis";
    const path = ["whenStoreIsAway"];
    mistakes.push({ path, message, hint: "drop it, or add store: redis", isWarning: true });
  }
  if (typeof cost === "number" && cost > limit) {
    const message = `a request costs ${cost}, and no more than ${limit} are ever there`;
    mistakes.push({ path: ["cost"], message, hint: "every request would be refused" });
  }
  if (cost === 0) {
    mistakes.push({ path: ["cost"], message: "requests that cost nothing are not limited" });
  }
  if (period === "minute" && timezone !== "UTC") {
    const message = "minutes begin alike in all time zones";
    mistakes.push({ path: ["timezone"], message, hint: "drop it", isWarning: true });
  }
  for (const [index, one] of count.entries()) {
    const isTwice =
      count.indexOf(one) < index || (!one.endsWith("xx") && count.includes(`${one[0]}xx`));
    if (isTwice) mistakes.push({ path: ["count", index], message: `${one} stands there twice` });
  }
  return mistakes;
}
