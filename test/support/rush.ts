/** rush: many clients at once, each with a connection that it keeps. */
import { once } from "node:events";
import { Agent, request as sendRequest } from "node:http";
import type { IncomingMessage } from "node:http";

export interface Rush {
  readonly ports: readonly number[];
  readonly path: string;
  readonly count: number;
  /** Clients of each port, default 200. */
  readonly clients?: number;
}

/** Sends `count` requests, to the ports in turn, and gives how many had each status; none is lost in silence. */
export async function rush({
  ports,
  path,
  count,
  clients = 200,
}: Rush): Promise<Record<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const statuses: Record<number, number> = {};
  const one = async (index: number): Promise<void> => {
    const port = ports[index % ports.length]!;
    const request = sendRequest({ port, host: "127.0.0.1", path, agent }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    statuses[response.statusCode!] = (statuses[response.statusCode!] ?? 0) + 1;
  };
  try {
    await Promise.all(Array.from({ length: count }, (_, index) => one(index)));
  } finally {
    agent.destroy();
  }
  return statuses;
}
