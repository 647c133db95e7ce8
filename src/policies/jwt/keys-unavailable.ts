import { Fault, defineFaultType } from "../../base/faults.ts";

export const keysUnavailable = defineFaultType("keys-unavailable", {
  status: 503,
  title: "Keys unavailable",
  whose: "gateway",
  retrySafe: "always",
  cause:
    "The key that proves the token has to be fetched, and the server of the keys cannot be reached.",
  remedy:
    "Look into the log for what failed, and whether the gateway can reach the server of the keys.",
});

/** The shortest time after which another attempt is made. */
export const keysUnavailableFault = new Fault(keysUnavailable, "", "", { "retry-after": "1" });
