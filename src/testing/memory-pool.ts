import type { Target } from "../upstream/balance/target.ts";
import type { PoolClient, TargetPool } from "../upstream/target-pool.ts";
import {
  BODY_LENGTH,
  BODY_NONE,
  BODY_STREAM,
  BODY_TUNNEL,
  UPSTREAM_BROKEN,
  UPSTREAM_CLOSED,
  UPSTREAM_CONNECT_FAILED,
  UPSTREAM_PROTOCOL,
  UPSTREAM_REFUSED,
  type UpstreamStream,
} from "../wire/exchange-streams.ts";
import { Fields } from "../wire/fields.ts";
import type { RequestHead } from "../wire/http1/request-head.ts";
import { parseResponseHead } from "../wire/http1/parse-response-head.ts";
import { reasonOf } from "../wire/http1/write-message.ts";
import { HANG_UP, prepareReply, REFUSE, ServiceCall, type FakeService } from "./fake-service.ts";
import type { PreparedReply } from "./fake-service.ts";
import { pairsOf } from "./header-lines.ts";

const limits = { headBytesMax: 64 * 1024, uriBytesMax: 0, fieldCountMax: 256 };

export interface MemoryPoolSettings {
  target: Target;
  serviceOf: () => FakeService;
  onCall: (call: ServiceCall) => void;
  /** The service's function threw: a mistake of the test. */
  onError: (error: Error) => void;
}

/** Connections to a function: as many as are wanted, there at once. A named fake. */
export class MemoryPool implements TargetPool {
  readonly openCount = 0;
  readonly idleCount = 0;
  private readonly settings: MemoryPoolSettings;
  private readonly waiting = new Set<PoolClient>();

  constructor(settings: MemoryPoolSettings) {
    this.settings = settings;
  }

  acquire(client: PoolClient): UpstreamStream | null {
    if (this.settings.serviceOf() !== "down") return new MemoryUpstream(client, this.settings);
    this.waiting.add(client);
    queueMicrotask(() => {
      if (this.waiting.delete(client)) client.onNoStream(UPSTREAM_CONNECT_FAILED);
    });
    return null;
  }

  cancel(client: PoolClient): boolean {
    return this.waiting.delete(client);
  }

  dispose(): void {}
}

/** One request to a function, and its answer on the way back. */
class MemoryUpstream implements UpstreamStream {
  readonly congested = false;
  readonly reused = false;
  private readonly client: PoolClient;
  private readonly settings: MemoryPoolSettings;
  private call: ServiceCall | null = null;
  private isOver = false;
  private ready = Promise.resolve();
  private resume: (() => void) | undefined;

  constructor(client: PoolClient, settings: MemoryPoolSettings) {
    this.client = client;
    this.settings = settings;
  }

  sendHead(head: RequestHead, target: string, host: string, lines: string, body: number): void {
    const { target: where, onCall } = this.settings;
    const pairs = pairsOf(head.fields);
    if (host !== "") pairs.unshift(["host", host]);
    for (const line of lines.split("\r\n").filter((one) => one !== "")) {
      const colon = line.indexOf(":");
      pairs.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
    }
    const { service, url: targetUrl } = where;
    const call = new ServiceCall({ service, targetUrl, method: head.method, target, lines: pairs });
    if (body === BODY_NONE || body === BODY_TUNNEL) call.queue.end();
    this.call = call;
    onCall(call);
    // Not within the call that sends: an answer never comes before the request has left.
    queueMicrotask(() => void this.answer(call));
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    this.call!.queue.push(bytes.subarray(start, end));
  }

  sendEnd(): void {
    this.call!.queue.end();
  }

  pauseBody(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.resume = resolve;
  }

  resumeBody(): void {
    this.resume?.();
  }

  abort(): void {
    this.isOver = true;
    this.resume?.();
    this.call?.queue.fail(new Error("the gateway gave the request up"));
  }

  private async answer(call: ServiceCall): Promise<void> {
    const service = this.settings.serviceOf();
    let reply: PreparedReply;
    try {
      const answer = service === "down" ? HANG_UP : await service(call);
      if (this.isOver) return;
      if (answer === HANG_UP || answer === REFUSE) {
        this.fail(answer === REFUSE ? UPSTREAM_REFUSED : UPSTREAM_CLOSED);
        return;
      }
      reply = prepareReply(answer);
    } catch (error) {
      if (!this.isOver) {
        this.settings.onError(error instanceof Error ? error : new Error(String(error)));
        this.fail(UPSTREAM_CLOSED);
      }
      return;
    }
    await this.send(reply);
  }

  private async send({ status, lines, body, trailers }: PreparedReply): Promise<void> {
    const { client } = this;
    const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const bytes = Buffer.from(`HTTP/1.1 ${status} ${reasonOf(status)}\r\n${fields}\r\n`, "latin1");
    const end = parseResponseHead(bytes, 0, bytes.length, client.response, limits);
    if (end !== bytes.length || status < 200) {
      this.fail(UPSTREAM_PROTOCOL);
      return;
    }
    const isBodiless = client.request.method === "HEAD" || status === 204 || status === 304;
    if (isBodiless || body.bytes?.length === 0) {
      client.onResponse(BODY_NONE);
    } else {
      client.onResponse(body.bytes === null ? BODY_STREAM : BODY_LENGTH);
      if (!(await this.sendPieces(body.pieces ?? [body.bytes!]))) return;
    }
    await this.ready;
    if (this.isOver) return;
    this.isOver = true;
    client.onResponseEnd(trailers.length === 0 ? null : fieldsOf(trailers));
  }

  /** @returns false when nobody wants to know the rest. */
  private async sendPieces(
    pieces: AsyncIterable<string | Uint8Array> | Iterable<Buffer>,
  ): Promise<boolean> {
    try {
      for await (const piece of pieces) {
        await this.ready;
        if (this.isOver) return false;
        const bytes = Buffer.from(piece as Uint8Array);
        if (bytes.length > 0) this.client.onResponseBody(bytes, 0, bytes.length);
      }
      return !this.isOver;
    } catch {
      if (!this.isOver) this.fail(UPSTREAM_BROKEN);
      return false;
    }
  }

  private fail(cause: number): void {
    this.isOver = true;
    this.call?.queue.fail(new Error("the connection is closed"));
    this.client.onUpstreamFailed(cause);
  }
}

function fieldsOf(pairs: readonly (readonly [string, string])[]): Fields {
  const fields = new Fields();
  for (const [name, value] of pairs) fields.add(name.toLowerCase(), value);
  return fields;
}
