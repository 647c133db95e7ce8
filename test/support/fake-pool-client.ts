import type { PoolClient, TargetPool } from "../../src/upstream/target-pool.ts";
import { BODY_NONE } from "../../src/wire/exchange-streams.ts";
import type { UpstreamStream } from "../../src/wire/exchange-streams.ts";
import type { Fields } from "../../src/wire/fields.ts";
import { parseRequestHead } from "../../src/wire/http1/parse-request-head.ts";
import { RequestHead } from "../../src/wire/http1/request-head.ts";
import { ResponseHead } from "../../src/wire/http1/response-head.ts";

const LIMITS = { headBytesMax: 1024 * 1024, uriBytesMax: 64 * 1024, fieldCountMax: 1000 };

export interface FakeRequest {
  /** What a client would have sent: request line and fields, without the empty line. */
  head?: string;
  /** Further field lines of the gateway's own. */
  lines?: string;
  host?: string;
  body?: number;
  /** Sends whatever follows the head. */
  send?: (stream: UpstreamStream, client: FakePoolClient) => void;
  /** Called for each piece of the response's body. */
  receive?: (stream: UpstreamStream, client: FakePoolClient) => void;
}

/** Plays the proxy's exchange for a pool under test: sends one request and notes what comes of it. */
export class FakePoolClient implements PoolClient {
  readonly pipelinable = false;
  wantsFresh = false;
  dialNumber = 0;
  readonly request = new RequestHead();
  readonly response = new ResponseHead();
  readonly events: string[] = [];
  readonly body: Buffer[] = [];
  bodyBytes = 0;
  /** One of the UPSTREAM_ causes. */
  cause = 0;
  /** What `onResponse` was told of the body. */
  bodyKind = -1;
  trailers: Fields | null = null;
  stream: UpstreamStream | null = null;
  private readonly asked: FakeRequest;
  private readonly waiting: { event: string; resolve: () => void }[] = [];

  constructor(asked: FakeRequest = {}) {
    this.asked = asked;
    const head = asked.head ?? "GET / HTTP/1.1\r\nHost: a.example";
    const bytes = Buffer.from(`${head}\r\n\r\n`, "latin1");
    const end = parseRequestHead(bytes, 0, bytes.length, this.request, LIMITS);
    if (end !== bytes.length) throw new Error(`the head was refused: ${end}`);
  }

  /** Resolves once the event has come. */
  async when(event: string): Promise<void> {
    if (this.events.includes(event)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.push({ event, resolve });
    await promise;
  }

  /** Sends the request through the pool; resolves when it is answered or has failed. */
  async run(pool: TargetPool): Promise<this> {
    this.start(pool);
    await this.when("over");
    return this;
  }

  start(pool: TargetPool): this {
    const stream = pool.acquire(this);
    if (stream !== null) this.onStream(stream);
    return this;
  }

  get text(): string {
    return Buffer.concat(this.body).toString("latin1");
  }

  private note(event: string): void {
    this.events.push(event);
    for (const waiting of this.waiting) if (waiting.event === event) waiting.resolve();
  }

  onStream(stream: UpstreamStream): void {
    this.stream = stream;
    this.note("stream");
    const { asked, request } = this;
    const body = asked.body ?? BODY_NONE;
    stream.sendHead(request, request.target, asked.host ?? "", asked.lines ?? "", body);
    asked.send?.(stream, this);
  }

  onNoStream(cause: number): void {
    this.cause = cause;
    this.note("over");
  }

  onInformational(): void {
    this.note(`interim ${this.response.status}`);
  }

  onResponse(body: number): void {
    this.bodyKind = body;
    this.note("response");
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    this.bodyBytes += end - start;
    this.body.push(Buffer.from(bytes.subarray(start, end)));
    this.asked.receive?.(this.stream!, this);
  }

  onResponseEnd(trailers: Fields | null): void {
    this.trailers = trailers;
    this.note("end");
    this.note("over");
  }

  onUpstreamDrain(): void {
    this.note("drain");
  }

  onUpstreamFailed(cause: number): void {
    this.cause = cause;
    this.note("failed");
    this.note("over");
  }
}
