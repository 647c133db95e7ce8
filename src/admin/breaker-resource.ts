import type { BreakersOrder } from "../runtime/service-breakers.ts";
import { type AdminResource, jsonReply, problemReply } from "./admin-resource.ts";

const EXPECTED = 'Expected {"state": "open"}, "closed" or "auto"; and "target" for one of several.';

/** Opens and closes circuit breakers by hand, for drills. */
export const breakerResource: AdminResource = {
  path: "/services/NAME/breaker",
  about:
    'POST {"state": "open" | "closed" | "auto"}: set the breaker of a service, or leave it to itself',
  write(gateway, body, name) {
    const service = gateway.services().find((each) => each.name === name);
    if (service === undefined) return problemReply("no-route", "There is no such service.");
    const order = orderOf(name, body);
    if (order === undefined) return problemReply("malformed-request", EXPECTED);
    const { target: wanted } = order;
    const breakers = [
      ...(wanted === undefined ? [service.breaker] : []),
      ...service.targets.filter(({ url }) => (wanted ?? url) === url).map((each) => each.breaker),
    ];
    if (breakers.every((breaker) => breaker === null)) {
      const whose = wanted === undefined ? "The service" : "This target";
      return problemReply("malformed-request", `${whose} has no breaker of its own.`);
    }
    gateway.orderBreakers(order);
    return jsonReply(
      200,
      gateway.services().find((each) => each.name === name),
    );
  },
};

function orderOf(service: string, body: unknown): BreakersOrder | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { state, target, ...rest } = body as Record<string, unknown>;
  if (Object.keys(rest).length > 0) return undefined;
  if (state !== "open" && state !== "closed" && state !== "auto") return undefined;
  if (target === undefined) return { service, state };
  return typeof target === "string" ? { service, target, state } : undefined;
}
