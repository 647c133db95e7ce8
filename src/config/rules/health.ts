import type { ServiceConfig } from "../config.ts";
import { mistakeAt, type DocumentPath, type Finding } from "../mistake.ts";

/** What health checks of a service mean for its targets. */
export function checkHealth({ health, targets }: ServiceConfig, path: DocumentPath): Finding[] {
  if (health === undefined) return [];
  const socket = targets.find(({ scheme }) => scheme === "unix");
  if (health.port === 0 || socket === undefined) return [];
  const message = `${socket.url} has no ports`;
  return [
    mistakeAt([...path, "health", "port"], message, "drop port; the socket itself is checked"),
  ];
}
