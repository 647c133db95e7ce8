import { defineFaultType, Fault } from "../../base/faults.ts";

export const signInFailed = defineFaultType("sign-in-failed", {
  status: 400,
  title: "Sign-in failed",
  whose: "client",
  retrySafe: "never",
  cause:
    "The browser came back from the identity provider with an answer that belongs to no sign-in it has begun, or that does not hold.",
  remedy:
    "Begin again from the page that was asked for. When it keeps failing, the log says why, and the browser has to accept cookies.",
});

export const signInRefused = defineFaultType("sign-in-refused", {
  status: 403,
  title: "Sign-in refused",
  whose: "client",
  retrySafe: "never",
  cause: "The identity provider did not let the user in, or the user declined.",
  remedy: "Sign in with an account that may use the application. `code` is what the provider said.",
});

export const signInUnavailable = defineFaultType("sign-in-unavailable", {
  status: 503,
  title: "Sign-in unavailable",
  whose: "upstream",
  retrySafe: "always",
  cause: "The identity provider, or the store of sessions, cannot be reached or does not answer.",
  remedy: "Check that it runs and that the gateway reaches it; the log says what went wrong.",
});

export const signInNeedsHttps = defineFaultType("sign-in-needs-https", {
  status: 403,
  title: "Sign-in needs HTTPS",
  whose: "gateway",
  retrySafe: "never",
  cause:
    "Cookies of a session are never sent over plain http, and this request came that way, as far as the gateway can tell.",
  remedy:
    "Serve it over https. Where a load balancer does, list it in `trustedProxies`; for development on localhost set `allowHttp`.",
});

export const sessionTooLarge = defineFaultType("session-too-large", {
  status: 500,
  title: "Session too large",
  whose: "gateway",
  retrySafe: "never",
  cause: "The tokens of the user are longer than what browsers keep in cookies.",
  remedy: "Set `session.store: redis`, or have the provider issue shorter tokens.",
});

export const oidcFaults = [
  signInFailed,
  signInRefused,
  signInUnavailable,
  signInNeedsHttps,
  sessionTooLarge,
] as const;

export const needsHttps = new Fault(signInNeedsHttps);
export const tooLarge = new Fault(sessionTooLarge);
export const providerAway = new Fault(
  signInUnavailable,
  "The identity provider does not answer.",
  "provider",
);
export const storeAway = new Fault(
  signInUnavailable,
  "The store of sessions does not answer.",
  "store",
);
export const notBegun = new Fault(
  signInFailed,
  "This browser has not begun this sign-in, or has taken too long for it.",
  "not-begun",
);
export const notHeld = new Fault(
  signInFailed,
  "What the identity provider answered does not hold.",
  "invalid-answer",
);
