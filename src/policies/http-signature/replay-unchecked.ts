import { defineFaultType } from "../../base/faults.ts";

export const replayUnchecked = defineFaultType("replay-unchecked", {
  status: 503,
  title: "Signature cannot be checked now",
  whose: "gateway",
  retrySafe: "always",
  cause: "Redis, which remembers the signatures that have come, could not be asked.",
  remedy: "See why Redis is away, or use `replay: memory`.",
});
