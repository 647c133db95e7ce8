import { type AdminResource, textReply } from "./admin-resource.ts";

/**
 * Liveness: whether to leave the process alone (200) or to start it anew (503). Alive is who answers here and
 * has a worker that serves; one that drains is left to finish.
 */
export const healthzResource: AdminResource = {
  path: "/healthz",
  about: "200 while at least one worker serves: restart the process when it does not",
  read(gateway) {
    const { workers } = gateway.status();
    const serving = workers.filter(({ state }) => state === "serving").length;
    return serving > 0 ? textReply(200, "ok") : textReply(503, "no worker serves");
  },
};
