/**
 * reporting-target: a service as a process of its own. It tells whoever forked it of each request that has come
 * whole, and answers 20 ms later with what it was sent.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.url);
const ANSWER_AFTER_MS = 20;

export interface ReportingTarget {
  readonly url: string;
  /** Method and path of what has come, in order. */
  readonly seen: readonly string[];
  readonly child: ChildProcess;
}

export async function startReportingTarget(port: number): Promise<ReportingTarget> {
  const child = fork(program, [String(port)], { execArgv: [] });
  const seen: string[] = [];
  await once(child, "message");
  child.on("message", (request: string) => void seen.push(request));
  return { url: `http://127.0.0.1:${port}`, seen, child };
}

if (process.argv[1] === program) {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    process.send!(`${request.method} ${request.url}`);
    setTimeout(() => response.end(`${request.method} ${request.url} ${body}`), ANSWER_AFTER_MS);
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(Number(process.argv[2]), "127.0.0.1", () => process.send!("listening"));
  process.on("disconnect", () => process.exit());
}
