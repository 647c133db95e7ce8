/** Teams the routes are spread over, so that neither the first nor the last segment alone decides. */
const teamCount = 100;

/** The fixed part of route `index`: `/team-7/service-107/items/`. */
export function routePrefix(index: number): string {
  return `/team-${index % teamCount}/service-${index}/items/`;
}

/** A path that only route `index` takes. */
export function routePath(index: number): string {
  return `${routePrefix(index)}${(index * 7919) % 100_000}`;
}

export function listRoutePrefixes(count: number): string[] {
  return Array.from({ length: count }, (_, index) => routePrefix(index));
}

export function listRoutePaths(count: number): string[] {
  return Array.from({ length: count }, (_, index) => routePath(index));
}
