/** ask: one request over a connection of its own, by either version of HTTP, for tests that try both. */
import { once } from "node:events";
import { request as request1 } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:http2";

export const protocols = ["HTTP/1.1", "HTTP/2"] as const;
export type Protocol = (typeof protocols)[number];

export interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces are sent one by one, without a length that is told beforehand. */
  readonly body?: string | Buffer | readonly string[];
}

export interface Answer {
  readonly status: number;
  /** Lower-case names; Set-Cookie as a list. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** The body as it came. */
  readonly bytes: Buffer;
}

/** By prior knowledge where it is HTTP/2. */
export async function ask(port: number, protocol: Protocol, question: Question): Promise<Answer> {
  const { body = "" } = question;
  const isWhole = typeof body === "string" || Buffer.isBuffer(body);
  const pieces = isWhole ? (body.length > 0 ? [body] : []) : body;
  const isTold = isWhole && body.length > 0;
  const length = isTold ? { "content-length": String(Buffer.byteLength(body)) } : {};
  const headers = { ...length, ...question.headers };
  const askBy = protocol === "HTTP/2" ? askHttp2 : askHttp1;
  return await askBy(port, { ...question, headers }, pieces);
}

async function askHttp1(
  port: number,
  { method = "GET", path = "/", headers = {} }: Question,
  pieces: readonly (string | Buffer)[],
): Promise<Answer> {
  const request = request1({ port, host: "127.0.0.1", method, path, headers, agent: false });
  // An early answer may come while the rest is still being sent.
  request.on("error", () => {});
  const answered = once(request, "response") as Promise<[IncomingMessage]>;
  if (pieces.length > 1) request.flushHeaders();
  for (const piece of pieces) request.write(piece);
  request.end();
  const [response] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { statusCode = 0, headers: received } = response;
  const bytes = Buffer.concat(chunks);
  return { status: statusCode, headers: received, body: bytes.toString(), bytes };
}

async function askHttp2(
  port: number,
  { method = "GET", path = "/", headers = {} }: Question,
  pieces: readonly (string | Buffer)[],
): Promise<Answer> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  try {
    const stream = session.request(
      { ...headers, ":method": method, ":path": path },
      { endStream: pieces.length === 0 },
    );
    stream.on("error", () => {});
    const answered = once(stream, "response");
    for (const piece of pieces) stream.write(piece);
    if (pieces.length > 0) stream.end();
    const [received] = (await answered) as [Answer["headers"]];
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => void stream.once("close", resolve));
    const status = Number(received[":status"]);
    const bytes = Buffer.concat(chunks);
    return { status, headers: received, body: bytes.toString(), bytes };
  } finally {
    session.destroy();
  }
}
