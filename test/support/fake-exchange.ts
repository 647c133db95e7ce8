import type { ExchangeSource } from "../../src/wire/server-context.ts";
import { BODY_LENGTH, BODY_NONE, BODY_STREAM } from "../../src/wire/exchange-streams.ts";
import type { ClientEvents, ClientStream } from "../../src/wire/exchange-streams.ts";
import type { Fields } from "../../src/wire/fields.ts";
import { RequestHead } from "../../src/wire/http1/request-head.ts";
import { ResponseHead } from "../../src/wire/http1/response-head.ts";
import { reasonOf } from "../../src/wire/http1/write-message.ts";

/** What a test does as a request goes on; what is left out only gets noted. */
export interface ExchangeScript {
  request?(exchange: FakeExchange): void;
  body?(exchange: FakeExchange, bytes: Buffer): void;
  end?(exchange: FakeExchange): void;
  drain?(exchange: FakeExchange): void;
}

/** Plays the proxy's exchange for a client connection under test: notes what comes, does what the script says. */
export class FakeExchange implements ClientEvents {
  readonly request = new RequestHead();
  readonly response = new ResponseHead();
  readonly script: ExchangeScript;
  readonly body: Buffer[] = [];
  /** Names of the events so far, bodies left out. */
  readonly events: string[] = [];
  stream!: ClientStream;
  hasBody = false;
  bodyBytes = 0;
  trailers: Fields | null = null;
  refusal = 0;
  private readonly waiting: { event: string; resolve: () => void }[] = [];

  constructor(script: ExchangeScript) {
    this.script = script;
  }

  /** Resolves once the event has come. */
  async when(event: string): Promise<void> {
    if (this.events.includes(event)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.push({ event, resolve });
    await promise;
  }

  note(event: string): void {
    this.events.push(event);
    for (const waiting of this.waiting) if (waiting.event === event) waiting.resolve();
  }

  onRequest(stream: ClientStream, hasBody: boolean): void {
    this.stream = stream;
    this.hasBody = hasBody;
    this.note("request");
    this.script.request?.(this);
  }

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    const piece = Buffer.from(bytes.subarray(start, end));
    this.bodyBytes += piece.length;
    this.body.push(piece);
    this.script.body?.(this, piece);
  }

  onRequestEnd(trailers: Fields | null): void {
    this.trailers = trailers;
    this.note("end");
    this.script.end?.(this);
  }

  onClientDrain(): void {
    this.note("drain");
    this.script.drain?.(this);
  }

  onClientGone(): void {
    this.note("gone");
  }

  onClientStalled(): void {
    this.note("stalled");
  }

  onRequestTimeout(): void {
    this.note("timeout");
  }

  onRequestMalformed(refusal: number): void {
    this.refusal = refusal;
    this.note("malformed");
  }

  /** The request's fields as lines, without those that must not pass. */
  get lines(): string[] {
    const { fields } = this.request;
    return fields.lines(fields.linesStart).split("\r\n").slice(0, -1);
  }

  /** Answers at once, with a Content-Length. */
  answer(status: number, body = "", headers: Record<string, string> = {}): void {
    this.sendHead(status, { ...headers, "content-length": String(body.length) }, body.length);
    if (body !== "") this.stream.sendBody(Buffer.from(body), 0, body.length);
    this.stream.sendEnd(null);
  }

  /** @param length of the body, undefined if that is not known. */
  sendHead(status: number, headers: Record<string, string>, length?: number): void {
    const { response } = this;
    response.reset(status, reasonOf(status));
    for (const [name, value] of Object.entries(headers)) response.fields.add(name, value);
    const body = length === undefined ? BODY_STREAM : length === 0 ? BODY_NONE : BODY_LENGTH;
    this.stream.sendHead(response, body);
  }
}

/** Makes exchanges that all follow one script; `all` has them in the order they came. */
export class FakeExchanges implements ExchangeSource {
  readonly all: FakeExchange[] = [];
  private readonly script: ExchangeScript;
  private readonly waiting: ((exchange: FakeExchange) => void)[] = [];

  constructor(script: ExchangeScript = {}) {
    this.script = script;
  }

  acquire(): FakeExchange {
    const exchange = new FakeExchange(this.script);
    this.all.push(exchange);
    this.waiting.shift()?.(exchange);
    return exchange;
  }

  release(exchange: ClientEvents): void {
    this.all.splice(this.all.indexOf(exchange as FakeExchange), 1);
  }

  refuse(exchange: ClientEvents, stream: ClientStream, refusal: number): void {
    const fake = exchange as FakeExchange;
    fake.stream = stream;
    fake.refusal = refusal;
    fake.note("refused");
    fake.answer(400, `refused ${refusal}`);
  }

  refuseConnection(): string {
    return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  }

  /** The next exchange to come. */
  async next(): Promise<FakeExchange> {
    const { promise, resolve } = Promise.withResolvers<FakeExchange>();
    this.waiting.push(resolve);
    return await promise;
  }
}
