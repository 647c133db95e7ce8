import { Agent, request } from "node:http";

const TICK_MS = 5;
/** Far above what a good gateway needs: no request waits here for another. */
const SOCKETS_MAX = 1000;

/** How one request went. */
export interface Answer {
  /** When it was due, ms since the load began. */
  atMs: number;
  /** 0 without an answer. */
  status: number;
  latencyMs: number;
}

/** Idempotent requests at an even rate, whatever becomes of those before: an open loop. */
export class OpenLoad {
  readonly answers: Answer[] = [];
  private readonly url: string;
  private readonly perSecond: number;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  private readonly startedAt = performance.now();
  private sent = 0;
  private open = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(url: string, perSecond: number) {
    this.url = url;
    this.perSecond = perSecond;
    this.timer = setInterval(() => this.catchUp(), TICK_MS);
  }

  /** Milliseconds since the load began. */
  get nowMs(): number {
    return performance.now() - this.startedAt;
  }

  /** Sends no more, and waits for what is under way. */
  async finish(): Promise<void> {
    clearInterval(this.timer);
    while (this.open > 0) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    this.agent.destroy();
  }

  /** All of a load of that length. */
  async runFor(timeMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, timeMs));
    await this.finish();
  }

  private catchUp(): void {
    const due = Math.floor((this.nowMs * this.perSecond) / 1000);
    while (this.sent < due) {
      this.ask((this.sent * 1000) / this.perSecond);
      this.sent += 1;
    }
  }

  /** Latency counts from when the request was due, so that a stall of this process is not hidden. */
  private ask(atMs: number): void {
    this.open += 1;
    const end = (status: number): void => {
      this.open -= 1;
      this.answers.push({ atMs, status, latencyMs: this.nowMs - atMs });
    };
    const sent = request(this.url, { agent: this.agent }, (response) => {
      response.resume();
      response.on("end", () => end(response.complete ? response.statusCode! : 0));
    });
    sent.on("error", () => end(0));
    sent.end();
  }
}
