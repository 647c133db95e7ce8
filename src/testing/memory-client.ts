import { problemContentType, problemTypeBase } from "../base/faults.ts";
import type { ClientConnection, ClientStream } from "../wire/exchange-streams.ts";
import type { Fields } from "../wire/fields.ts";
import type { ResponseHead } from "../wire/http1/response-head.ts";
import { joinPairs, pairsOf } from "./header-lines.ts";
import type { TestOutcome, TestProblem, TestResponse } from "./test-response.ts";

const NO_OUTCOME: TestOutcome = {
  route: "",
  service: "",
  identity: null,
  requestId: "",
  clientAddress: "",
  fault: "",
  attempts: 0,
};

/** A client without a socket: keeps what it is sent. A named fake. */
export class MemoryClient implements ClientStream {
  readonly connection: ClientConnection;
  readonly protocol: string;
  readonly congested = false;
  /** Resolves when the response is complete, or broken off. */
  readonly response: Promise<TestResponse>;
  /** Resolves when its head has come. */
  readonly head: Promise<Pick<TestResponse, "status" | "headers">>;
  readonly pieces: Buffer[] = [];
  isOver = false;
  outcome = NO_OUTCOME;
  private status = 0;
  private lines: [string, string][] = [];
  private trailers: [string, string][] = [];
  private readonly informational: TestResponse["informational"] = [];
  private readonly answered = Promise.withResolvers<TestResponse>();
  private readonly begun = Promise.withResolvers<Pick<TestResponse, "status" | "headers">>();
  private readable = Promise.resolve();
  private resume: (() => void) | undefined;

  constructor(connection: ClientConnection, protocol: string) {
    this.connection = connection;
    this.protocol = protocol;
    this.response = this.answered.promise;
    this.head = this.begun.promise;
  }

  /** Resolves when the gateway takes more of the request's body. */
  async whenReadable(): Promise<void> {
    await this.readable;
  }

  pauseBody(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.readable = promise;
    this.resume = resolve;
  }

  resumeBody(): void {
    this.resume?.();
  }

  closeAfterResponse(): void {}

  sendInformational({ status, fields }: ResponseHead): void {
    this.informational.push({ status, headers: joinPairs(pairsOf(fields)) });
  }

  sendHead({ status, fields }: ResponseHead): void {
    if (this.status !== 0) throw new Error("the gateway has answered twice");
    this.status = status;
    this.lines = pairsOf(fields);
    this.begun.resolve({ status, headers: joinPairs(this.lines) });
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    if (end > start) this.pieces.push(Buffer.from(bytes.subarray(start, end)));
  }

  sendWhole(head: ResponseHead, body: Buffer): void {
    this.sendHead(head);
    this.sendBody(body, 0, body.length);
  }

  sendEnd(trailers: Fields | null): void {
    if (trailers !== null) this.trailers = pairsOf(trailers);
    this.finish(false);
  }

  abort(): void {
    this.finish(true);
  }

  /** Nothing more comes, whether or not anything has. */
  finish(isBroken: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    this.resumeBody();
    // What breaks off is noted by the gateway only after that.
    queueMicrotask(() => {
      const response = this.collected(isBroken);
      this.begun.resolve(response);
      this.answered.resolve(response);
    });
  }

  private collected(isBroken: boolean): TestResponse {
    const { status, lines, pieces, trailers, informational, outcome } = this;
    const bytes = Buffer.concat(pieces);
    const headers = joinPairs(lines);
    const body = bytes.toString();
    return {
      status,
      headers,
      lines,
      setCookies: lines.filter(([name]) => name === "set-cookie").map(([, value]) => value),
      body,
      bytes,
      pieces,
      problem: headers["content-type"] === problemContentType ? problemOf(body) : undefined,
      trailers: joinPairs(trailers),
      informational,
      isBroken,
      outcome,
    };
  }
}

/** Undefined of a body that is not there: HEAD has none. */
function problemOf(body: string): TestProblem | undefined {
  if (body === "") return undefined;
  const problem = JSON.parse(body) as Omit<TestProblem, "name">;
  // A service's own may have no type (RFC 9457 section 3.1.1).
  const { type = "about:blank" } = problem as Partial<TestProblem>;
  return { ...problem, type, name: type.replace(problemTypeBase, "") };
}
