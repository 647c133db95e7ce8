// HOT
import type { CacheRecord } from "../../policy/cache-record.ts";
import { readyMessage, type ReadyLines, type Reply } from "../../policy/reply.ts";
import { currentHeaders } from "./stored-answer.ts";

/** Making lines ready costs what it saves on so many answers, about. */
const READY_AFTER = 8;

/**
 * A record's whole response as it is sent to hits. `Age` and `Cache-Status` change once a second, so that an answer
 * is used again until they do; what is asked for often has all of its head made ready.
 */
export class WholeAnswer {
  private readonly record: CacheRecord;
  private readonly block: ReadyLines;
  private readonly how: string | null;
  private reply: Reply | null;
  /** Epoch milliseconds from which, and until which, `reply` holds. */
  private fromMs: number;
  private untilMs: number;
  /** Answers that `reply` has been. */
  private count: number;

  constructor(record: CacheRecord, block: ReadyLines, cacheStatus: boolean) {
    this.record = record;
    this.block = block;
    this.how = cacheStatus ? "hit" : null;
    this.reply = null;
    this.fromMs = 0;
    this.untilMs = 0;
    this.count = 0;
  }

  at(nowMs: number): Reply {
    // A clock that has been set back makes it anew, too.
    if (this.reply === null || nowMs >= this.untilMs || nowMs < this.fromMs)
      return this.begin(nowMs);
    if (++this.count === READY_AFTER) this.reply = this.ready(this.reply);
    return this.reply;
  }

  // cold: once a second
  private begin(nowMs: number): Reply {
    const { status, body, bornAtMs, freshUntilMs } = this.record;
    const ageMs = Math.max(0, nowMs - bornAtMs);
    const agesAtMs = nowMs - (ageMs % 1000) + 1000;
    // The time that is left goes down just after it is a number of whole seconds.
    const leftMs = freshUntilMs - nowMs;
    const shrinksAtMs =
      freshUntilMs === 0 ? Infinity : nowMs + (leftMs - Math.floor(leftMs / 1000) * 1000) + 1;
    this.fromMs = nowMs;
    this.untilMs = Math.min(agesAtMs, shrinksAtMs);
    this.count = 1;
    const headers = currentHeaders(this.record, nowMs, this.how);
    this.reply = { status, headers, body, block: this.block, standsIn: true };
    return this.reply;
  }

  // cold: once a second
  private ready({ status, headers, body }: Reply): Reply {
    const lines = [...this.record.headers];
    for (const name of Object.keys(headers)) lines.push(name, headers[name]!);
    if (status !== 204 && status !== 304) lines.push("content-length", String(body.length));
    return { status, headers: {}, body, block: readyMessage(status, lines, body), standsIn: true };
  }
}
