import { once } from "node:events";
import { createServer } from "node:net";
import type { ListenerConfig } from "../config/config.ts";

/**
 * Rejects when another process listens where `wanted` are to. Workers share their ports among themselves
 * (SO_REUSEPORT) and would share them with a forgotten second gateway too, which then got half of the traffic.
 * @param own listeners of this process: a port that one of them has is not looked at.
 */
export async function assertPortsFree(
  wanted: readonly ListenerConfig[],
  own: readonly ListenerConfig[] = [],
): Promise<void> {
  const ownPorts = new Set(own.map(({ port }) => port));
  for (const { key, host, port, path } of wanted) {
    if (path !== undefined || port === 0 || ownPorts.has(port)) continue;
    if (await isTaken(host, port)) {
      throw new Error(`cannot listen on ${key}: the address is in use by another process`);
    }
  }
}

/** Any other reason for not being able to listen is for the workers to find. */
async function isTaken(host: string, port: number): Promise<boolean> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EADDRINUSE";
  }
  server.close();
  await once(server, "close");
  return false;
}
