import { type AdminResource, jsonReply } from "./admin-resource.ts";

/** What is known of every target just now. */
export const servicesResource: AdminResource = {
  path: "/services",
  about: "services and their targets: health, ejections, breakers, limits, what is in flight",
  read(gateway) {
    return jsonReply(200, { services: gateway.services() });
  },
};
