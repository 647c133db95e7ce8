import { OutboundError } from "../../src/base/outbound/outbound.ts";
import type { OutboundRequest, OutboundResponse } from "../../src/policy/outbound.ts";

/** What a faked server answers; an object that is no Buffer becomes JSON. */
export interface FakeAnswer {
  /** Default 200. */
  readonly status?: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | object;
}

type Answering = (request: OutboundRequest) => FakeAnswer | Promise<FakeAnswer>;

/**
 * fake-outbound: servers outside the document that a test fakes, for what policies ask with `fetch`. A URL
 * that nothing was said about fails as if nobody listened there.
 */
export class FakeOutbound {
  /** All requests, in order. */
  readonly requests: OutboundRequest[] = [];
  private readonly answers = new Map<string, FakeAnswer | Answering>();

  /** From now on requests to `url` are answered so. */
  on(url: string, answer: FakeAnswer | Answering): this {
    this.answers.set(url, answer);
    return this;
  }

  /** From now on nobody listens at `url`. */
  away(url: string): this {
    this.answers.delete(url);
    return this;
  }

  /** How often `url` was asked. */
  count(url: string): number {
    return this.requests.filter((request) => request.url === url).length;
  }

  readonly fetch = async (request: OutboundRequest): Promise<OutboundResponse> => {
    this.requests.push(request);
    const answer = this.answers.get(request.url);
    if (answer === undefined) throw new OutboundError(`${request.url}: away`, "ECONNREFUSED");
    return responseOf(typeof answer === "function" ? await answer(request) : answer);
  };
}

function responseOf({ status = 200, headers = {}, body = "" }: FakeAnswer): OutboundResponse {
  return {
    status,
    header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
    body: Buffer.isBuffer(body)
      ? body
      : Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
  };
}
