/**
 * outbound-client: requests to servers that are no services of the document. On node:http with agents of
 * its own, which, unlike the platform's `fetch`, heed no proxy from the environment, follow no redirect
 * and ask for no compression that a small answer could grow out of.
 */
import { Agent as HttpAgent, request as requestHttp } from "node:http";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { OutboundError } from "./outbound.ts";
import type { OutboundRequest, OutboundResponse } from "./outbound.ts";

const TIMEOUT_MS = 5000;
const BYTES_MAX = 1024 * 1024;
/** To one server, from one worker; what comes beyond waits within its own timeout. */
const CONNECTIONS_MAX = 64;
const IDLE_CONNECTIONS_MAX = 4;
const IDLE_MS = 30_000;

export class OutboundClient {
  private readonly plain: HttpAgent;
  private readonly secure: HttpsAgent;

  constructor() {
    const options = {
      keepAlive: true,
      maxSockets: CONNECTIONS_MAX,
      maxFreeSockets: IDLE_CONNECTIONS_MAX,
      timeout: IDLE_MS,
    };
    this.plain = new HttpAgent(options);
    this.secure = new HttpsAgent({ ...options, minVersion: "TLSv1.2" });
  }

  /** @returns a promise that rejects with an OutboundError, never with anything else */
  readonly fetch = async (request: OutboundRequest): Promise<OutboundResponse> => {
    const url = parseUrl(request.url);
    const until = performance.now() + (request.timeoutMs ?? TIMEOUT_MS);
    const first = new Attempt(request, url, until);
    try {
      return await first.send(this);
    } catch (error) {
      // A server may close a connection just as it is used again; nothing has reached it then.
      if (!first.metClosedConnection || !mayRepeat(request)) throw error;
      return new Attempt(request, url, until).send(this);
    }
  };

  open(url: URL, options: RequestOptions): ClientRequest {
    return url.protocol === "https:"
      ? requestHttps(url, { ...options, agent: this.secure })
      : requestHttp(url, { ...options, agent: this.plain });
  }

  /** Closes every connection; requests under way fail. */
  [Symbol.dispose](): void {
    this.plain.destroy();
    this.secure.destroy();
  }
}

/** A request, sent once. */
class Attempt {
  metClosedConnection = false;
  private readonly request: OutboundRequest;
  private readonly url: URL;
  private readonly until: number;
  private readonly bytesMax: number;
  private readonly chunks: Buffer[] = [];
  private size = 0;

  constructor(request: OutboundRequest, url: URL, until: number) {
    this.request = request;
    this.url = url;
    this.until = until;
    this.bytesMax = request.bytesMax ?? BYTES_MAX;
  }

  send(client: OutboundClient): Promise<OutboundResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<OutboundResponse>();
    const sent = this.open(client);
    const timer = setTimeout(() => {
      const { timeoutMs = TIMEOUT_MS } = this.request;
      sent.destroy(this.failure(`no whole answer within ${timeoutMs} ms`, "TIMEOUT"));
    }, this.until - performance.now());
    let answered = false;
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      this.metClosedConnection = !answered && sent.reusedSocket && codeOf(error) === "ECONNRESET";
      reject(this.describe(error));
    };
    sent.on("error", fail);
    sent.on("response", (response) => {
      answered = true;
      response.on("error", fail);
      response.on("data", (chunk: Buffer) => this.take(chunk, sent));
      response.on("end", () => {
        clearTimeout(timer);
        resolve(answerOf(response, Buffer.concat(this.chunks, this.size)));
      });
    });
    sent.end(this.request.body);
    return promise;
  }

  private open(client: OutboundClient): ClientRequest {
    const { method = "GET", headers = {}, body, ca } = this.request;
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    try {
      return client.open(this.url, {
        method,
        headers: { "user-agent": "gateward", ...headers, ...length },
        ...(ca === undefined ? {} : { ca }),
      });
    } catch (error) {
      throw this.describe(error);
    }
  }

  private take(chunk: Buffer, sent: ClientRequest): void {
    this.size += chunk.length;
    if (this.size <= this.bytesMax) {
      this.chunks.push(chunk);
      return;
    }
    sent.destroy(this.failure(`the answer is longer than ${this.bytesMax} bytes`, "TOO_LONG"));
  }

  private failure(reason: string, code: string, cause?: unknown): OutboundError {
    const { method = "GET" } = this.request;
    const { origin, pathname } = this.url;
    return new OutboundError(`${method} ${origin}${pathname}: ${reason}`, code, cause);
  }

  private describe(error: unknown): OutboundError {
    if (error instanceof OutboundError) return error;
    return this.failure(reasonOf(error), codeOf(error), error);
  }
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, body: Buffer): OutboundResponse {
  return {
    status: statusCode,
    header(name) {
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
      return Array.isArray(value) ? value.join(", ") : value;
    },
    body,
  };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new OutboundError("not an absolute URL", "NOT_A_URL");
  const { protocol, username, password } = url;
  if (protocol !== "http:" && protocol !== "https:") {
    throw new OutboundError(`${protocol} is neither http: nor https:`, "NOT_A_URL");
  }
  if (username !== "" || password !== "") {
    throw new OutboundError(`a user or password in a URL of ${url.host}`, "NOT_A_URL");
  }
  return url;
}

function mayRepeat({ isRepeatable, method = "GET" }: OutboundRequest): boolean {
  return isRepeatable ?? (method === "GET" || method === "HEAD");
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? code : "FAILED";
}

/** A name with several addresses fails with one error for each, and no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
