import { type AdminResource, textReply } from "./admin-resource.ts";

/**
 * Readiness: whether to send traffic here. Not before every worker has served once, and not from the order to
 * end on. A worker that is being replaced does not count: the others serve on.
 */
export const readyzResource: AdminResource = {
  path: "/readyz",
  about: "200 while traffic is welcome: 503 while starting and while shutting down",
  read(gateway) {
    const { phase, workers } = gateway.status();
    if (phase !== "serving") return textReply(503, phase);
    return workers.some(({ state }) => state === "serving")
      ? textReply(200, "ready")
      : textReply(503, "no worker serves");
  },
};
