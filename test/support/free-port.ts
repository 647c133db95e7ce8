import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that Linux gives to connections, which come and go while a gateway starts. */
const FIRST = 10_240;
const LAST = 32_000;
const given = new Set<number>();

/** A TCP port of 127.0.0.1 on which nobody listens now, and that this process has given to nobody else. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen({ port, host: "127.0.0.1", exclusive: true });
  const isListening = await once(server, "listening").then(
    () => true,
    () => false,
  );
  if (!isListening) return false;
  server.close();
  await once(server, "close");
  return true;
}
