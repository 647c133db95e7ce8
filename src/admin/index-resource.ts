import { type AdminResource, jsonReply } from "./admin-resource.ts";

/** What this is, which configuration is in force, how the workers are, and what else can be asked. */
export function indexResource(others: readonly AdminResource[]): AdminResource {
  return {
    path: "/",
    about: "this page",
    read(gateway) {
      const { version, startedAt, workers, ...status } = gateway.status();
      return jsonReply(200, {
        name: "gateward",
        version,
        node: process.version,
        ...status,
        startedAt,
        uptimeSeconds: Math.floor((Date.now() - Date.parse(startedAt)) / 1000),
        workers: workers.map(({ beats: _, ...worker }) => worker),
        resources: Object.fromEntries(others.map(({ path, about }) => [path, about])),
      });
    },
  };
}
