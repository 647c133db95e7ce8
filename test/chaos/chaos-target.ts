/**
 * chaos-target: a service as a process of its own, which answers 200, or what it is told to: over its channel it is
 * sent `{ status, delayMs }`. Its health is as its answers are.
 */
import { createServer } from "node:http";

let behaviour = { status: 200, delayMs: 0 };

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  request.resume();
  const { status, delayMs } = behaviour;
  const answer = (): void => {
    response.writeHead(status, { "content-type": "text/plain" }).end("chaos");
  };
  if (delayMs > 0) setTimeout(answer, delayMs);
  else answer();
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.send?.("listening"));

process.on("message", (told: typeof behaviour) => {
  behaviour = told;
});
process.on("disconnect", () => process.exit());
