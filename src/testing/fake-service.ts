import { joinPairs, headerPairs, type TestHeaders } from "./header-lines.ts";
import { PieceQueue } from "./piece-queue.ts";
import { prepareBody, type PreparedBody, type TestBody } from "./test-body.ts";

/** What a service is asked. Its body may still be on the way. */
export class ServiceCall {
  readonly service: string;
  /** As the document has it. */
  readonly targetUrl: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Lines in order, names in lower case. */
  readonly lines: readonly (readonly [name: string, value: string])[];
  /** By lower-case name; several lines of one name joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** @internal */
  readonly queue = new PieceQueue();

  constructor(facts: Pick<ServiceCall, "service" | "targetUrl" | "method" | "target" | "lines">) {
    this.service = facts.service;
    this.targetUrl = facts.targetUrl;
    this.method = facts.method;
    this.target = facts.target;
    this.lines = facts.lines;
    this.headers = joinPairs(facts.lines);
  }

  get path(): string {
    return this.target.replace(/\?.*/s, "");
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.target.slice(this.path.length));
  }

  /** What of the body has come by now; all of it once the request is over. */
  get body(): string {
    return this.queue.text;
  }

  /** The whole body. Rejects when the client breaks off. */
  async text(): Promise<string> {
    for await (const _ of this.queue);
    return this.queue.text;
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  /** The body's pieces as they come. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return this.queue[Symbol.asyncIterator]();
  }
}

/** A service's answer, at length. */
export interface ServiceReply {
  /** Default 200. */
  status?: number;
  headers?: TestHeaders;
  body?: TestBody;
  trailers?: TestHeaders;
}

/** In place of an answer: the connection is closed without one. */
export const HANG_UP = Symbol("hang up");

/** In place of an answer: the service says that it has not begun with the request, as HTTP/2 can. */
export const REFUSE = Symbol("refuse");

export type ServiceAnswer =
  | ServiceReply
  | Response
  | string
  | typeof HANG_UP
  | typeof REFUSE
  | undefined
  | void;

/**
 * Stands in for a service. Text is a body with status 200, nothing an empty one. `"down"` is a service that no
 * connection can be made to. What it throws fails the test.
 */
export type FakeService = ((call: ServiceCall) => ServiceAnswer | Promise<ServiceAnswer>) | "down";

/** An answer as the pool sends it. */
export interface PreparedReply {
  status: number;
  lines: [name: string, value: string][];
  body: PreparedBody;
  trailers: [name: string, value: string][];
}

export function prepareReply(answer: Exclude<ServiceAnswer, symbol>): PreparedReply {
  if (answer instanceof Response) return fromResponse(answer);
  const reply = typeof answer === "string" ? { body: answer } : (answer ?? {});
  const body = prepareBody(reply.body);
  const lines = headerPairs(reply.headers);
  const has = (name: string): boolean => lines.some(([one]) => one.toLowerCase() === name);
  if (body.contentType !== "" && !has("content-type")) {
    lines.push(["content-type", body.contentType]);
  }
  const status = reply.status ?? 200;
  const isSized = body.bytes !== null && status !== 204 && status !== 304;
  if (isSized && !has("content-length")) {
    lines.push(["content-length", String(body.bytes!.length)]);
  }
  return { status, lines, body, trailers: headerPairs(reply.trailers) };
}

function fromResponse(response: Response): PreparedReply {
  const { status, headers, body } = response;
  const lines = [...headers].filter(([name]) => name !== "content-length");
  if (body === null) return { status, lines, body: prepareBody(""), trailers: [] };
  return { status, lines, body: { bytes: null, pieces: body, contentType: "" }, trailers: [] };
}
