import { Fault, faultTypes, faults } from "../base/faults.ts";
import type { ServiceAnswer } from "../policy/service-call.ts";
import { BODY_LENGTH, BODY_NONE } from "../wire/exchange-streams.ts";
import type { ClientConnection, ClientStream } from "../wire/exchange-streams.ts";
import type { ResponseHead } from "../wire/http1/response-head.ts";

const NO_BYTES = Buffer.alloc(0);

/** Calls come over no connection. */
const NO_CONNECTION: ClientConnection = {
  peerAddress: "",
  peerPort: 0,
  localPort: 0,
  isTls: false,
  listenerKey: "",
  serverName: "",
  tlsSocket: null,
  forwarding: null,
};

/** The exchange whose client this is. */
interface Answering {
  readonly fault: Fault | null;
  /** Nobody takes more of the answer. */
  leave(client: AnswerCollector): void;
}

/** A whole answer, in memory. */
class CollectedAnswer implements ServiceAnswer {
  readonly status: number;
  body: Buffer;
  /** Names and values in turn. */
  private readonly lines: string[];

  constructor({ status, fields }: ResponseHead) {
    this.status = status;
    this.body = NO_BYTES;
    this.lines = [];
    fields.each((name, value) => this.lines.push(name.toLowerCase(), value));
  }

  header(name: string): string | undefined {
    const { lines } = this;
    let found: string | undefined;
    for (let at = 0; at < lines.length; at += 2) {
      if (lines[at] !== name) continue;
      found = found === undefined ? lines[at + 1]! : `${found}, ${lines[at + 1]!}`;
    }
    return found;
  }

  each(visit: (name: string, value: string) => void): void {
    for (let at = 0; at < this.lines.length; at += 2) {
      visit(this.lines[at]!, this.lines[at + 1]!);
    }
  }
}

/** Takes the place of a client: what comes for it is collected, and settles a promise. */
export class AnswerCollector implements ClientStream {
  readonly connection: ClientConnection;
  readonly protocol: string;
  /** True once it takes no more. */
  congested: boolean;
  readonly answer: Promise<ServiceAnswer>;
  private readonly exchange: Answering;
  private readonly bytesMax: number;
  private readonly settle: PromiseWithResolvers<ServiceAnswer>;
  private collected: CollectedAnswer | null;
  private pieces: Buffer[];
  private size: number;

  constructor(exchange: Answering, bytesMax: number) {
    this.connection = NO_CONNECTION;
    this.protocol = "HTTP/1.1";
    this.congested = false;
    this.exchange = exchange;
    this.bytesMax = bytesMax;
    this.settle = Promise.withResolvers();
    this.answer = this.settle.promise;
    this.collected = null;
    this.pieces = [];
    this.size = 0;
  }

  refuse(reason: unknown): void {
    this.settle.reject(reason);
  }

  sendHead(head: ResponseHead, body: number): void {
    const { fault } = this.exchange;
    // What comes then is the gateway's own account of it.
    if (fault !== null) this.refuse(fault);
    else if (body !== BODY_NONE && head.contentLength > this.bytesMax) this.stop();
    else this.collected = new CollectedAnswer(head);
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    if (this.collected === null) return;
    this.size += end - start;
    if (this.size > this.bytesMax) this.stop();
    else this.pieces.push(Buffer.from(bytes.subarray(start, end)));
  }

  sendWhole(head: ResponseHead, body: Buffer): void {
    this.sendHead(head, BODY_LENGTH);
    this.sendBody(body, 0, body.length);
  }

  sendEnd(): void {
    const { collected, pieces } = this;
    if (collected === null) return;
    if (pieces.length > 0)
      collected.body = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    this.settle.resolve(collected);
  }

  abort(): void {
    this.refuse(this.exchange.fault ?? faults["upstream-reset"]);
  }

  /** Within an event of the service's stream, which goes on with the exchange: it is left after that. */
  private stop(): void {
    const detail = `The answer is longer than ${this.bytesMax} bytes.`;
    this.refuse(new Fault(faultTypes["answer-too-large"], detail));
    this.collected = null;
    this.pieces = [];
    this.congested = true;
    process.nextTick(leave, this.exchange, this);
  }

  pauseBody(): void {}
  resumeBody(): void {}
  closeAfterResponse(): void {}
  sendInformational(): void {}
}

function leave(exchange: Answering, client: AnswerCollector): void {
  exchange.leave(client);
}
