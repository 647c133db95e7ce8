import { Fault, defineFaultType } from "../../base/faults.ts";

export const introspectionUnavailable = defineFaultType("introspection-unavailable", {
  status: 503,
  title: "Introspection unavailable",
  whose: "gateway",
  retrySafe: "always",
  cause: "The authorization server was to be asked about the token, and gave no usable answer.",
  remedy:
    "Look into the log for what failed, and whether the gateway can reach the server and its credentials are right.",
});

export const introspectionUnavailableFault = new Fault(introspectionUnavailable, "", "", {
  "retry-after": "1",
});
