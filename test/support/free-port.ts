import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that Linux gives to connections, which come and go while a gateway starts. */
const FIRST = 10_240;
const LAST = 32_000;

/**
 * A TCP port of 127.0.0.1 on which nobody listens now, and that no process of tests has been given: each
 * file has one of its own, and a gateway takes a while until it listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if ((await reserve(port)) && (await isFree(port))) return port;
  }
}

/** Until this process ends, by holding the UDP port of that number, which nobody wants for itself. */
async function reserve(port: number): Promise<boolean> {
  const mark = createSocket("udp4");
  mark.bind({ port, address: "127.0.0.1", exclusive: true });
  const isOurs = await once(mark, "listening").then(
    () => true,
    () => false,
  );
  if (isOurs) mark.unref();
  else mark.close();
  return isOurs;
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
