import { createServer } from "node:net";

/** The port itself when nothing listens on it, else any free one. */
export async function freePort(port: number, host: string): Promise<number> {
  return (await tryListen(port, host)) ?? (await tryListen(0, host)) ?? port;
}

/** The port that was got, or undefined when it is taken. */
function tryListen(port: number, host: string): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen(port, host, () => {
      const address = server.address();
      const got = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(got));
    });
  });
}
