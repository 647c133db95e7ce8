import { request as requestHttp } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import type { TLSSocket } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a proxy may need until it answers: ten thousand routes take nginx some hundred ms. */
const answerDeadlineMs = 30_000;
const probeIntervalMs = 1;
const probeTimeoutMs = 10_000;

interface ProbeTarget {
  readonly port: number;
  readonly tls: unknown;
  readonly requestHeaders: Readonly<Record<string, string>>;
}

export interface ProbeAnswer {
  readonly status: number;
  readonly bytes: number;
  /** "TLSv1.3", or undefined on a plain connection. */
  readonly tlsVersion: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

export interface ProbeRequest {
  readonly path: string;
  readonly body?: Buffer;
}

/** One request on a connection of its own; rejects when the connection fails or breaks. */
export function probe(target: ProbeTarget, { path, body }: ProbeRequest): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port: target.port,
      path,
      method: body === undefined ? "GET" : "POST",
      agent: false,
      signal: AbortSignal.timeout(probeTimeoutMs),
      rejectUnauthorized: false, // the certificate is our own, made a moment ago
      headers: {
        ...target.requestHeaders,
        ...(body === undefined ? {} : { "content-length": body.length }),
      },
    };
    const onResponse = (response: IncomingMessage): void => {
      let bytes = 0;
      const socket = response.socket as Partial<TLSSocket>;
      const tlsVersion = socket.getProtocol?.() ?? undefined;
      response.on("data", (chunk: Buffer) => (bytes += chunk.length));
      const { statusCode: status = 0, headers } = response;
      response.on("end", () => resolve({ status, bytes, tlsVersion, headers }));
      response.on("error", reject);
    };
    const send = target.tls === undefined ? requestHttp : requestHttps;
    send(options, onResponse).on("error", reject).end(body);
  });
}

/** Asks, on new connections, until the answer is 200. `assertAlive` throws when there is no point. */
export async function probeUntilAnswered(
  target: ProbeTarget,
  path: string,
  assertAlive: () => void,
): Promise<void> {
  const deadlineMs = performance.now() + answerDeadlineMs;
  for (;;) {
    const seen = await probe(target, { path }).then(
      (answer) => answer.status,
      (error: unknown) => (error as Error).message,
    );
    if (seen === 200) return;
    assertAlive();
    if (performance.now() > deadlineMs) throw new Error(`no 200 from ${path}: ${seen}`);
    await sleep(probeIntervalMs);
  }
}
