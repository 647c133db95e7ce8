/** shared-redis: Redis as one worker sees it. */
import { hash } from "node:crypto";
import type { Log } from "../../base/log/log.ts";
import { redisResult } from "../../base/metrics/families.ts";
import type { Counter, Gauge } from "../../base/metrics/metric-view.ts";
import type { RedisScript, RedisStore } from "../../policy/redis-store.ts";
import { LinkKeeper } from "./link-keeper.ts";
import type { OpenRedisLink, RedisLink, RedisSettings } from "./redis-link.ts";

/** A link on which calls time out, and nothing at all comes back, for so long leads nowhere. */
const SILENCE_MS_MIN = 1000;
/** Refusals are told of so often. */
const LOG_INTERVAL_MS = 10_000;

export interface SharedRedisContext {
  readonly log: Log;
  readonly calls: Counter;
  readonly connected: Gauge;
  /** Default: connections of @redis/client. */
  readonly open?: OpenRedisLink;
}

/** What calls reject with while there is no connection: one for all, because in an outage every request asks. */
const AWAY = new Error("Redis is away");

/** Never queues: what is asked while there is no connection is refused at once. */
export class SharedRedis implements RedisStore, Disposable {
  readonly prefix: string;
  readonly isCluster: boolean;
  private readonly timeoutMs: number;
  private readonly log: Log;
  private readonly calls: Counter;
  private readonly keeper: LinkKeeper;
  /** When the first call was sent of those that had no answer since; 0: the last one had. */
  private silentSinceMs: number;
  private answeredMs: number;
  private toldMs: number;

  constructor(settings: RedisSettings, context: SharedRedisContext) {
    const { log, calls, connected, open = openByClient } = context;
    this.prefix = settings.prefix;
    this.isCluster = settings.kind === "cluster";
    this.timeoutMs = settings.timeoutMs;
    this.log = log;
    this.calls = calls;
    this.keeper = new LinkKeeper(settings, { log, connected, open });
    this.silentSinceMs = 0;
    this.answeredMs = 0;
    this.toldMs = -Infinity;
  }

  get isReady(): boolean {
    return this.keeper.link !== null;
  }

  /** The first try to connect is over, however it ended. */
  get firstTry(): Promise<void> {
    return this.keeper.firstTry;
  }

  async run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const names = keys.map((key) => this.prefix + key);
    const rest = [String(names.length), ...names, ...args.map(String)];
    const first = names[0] ?? "";
    try {
      return await this.call(first, ["EVALSHA", digestOf(script), ...rest]);
    } catch (error) {
      // It was restarted, or another server took over: the text goes along once.
      if (!codeOf(error).startsWith("NOSCRIPT")) throw error;
      return await this.call(first, ["EVAL", script.text, ...rest]);
    }
  }

  async get(key: string): Promise<string | null> {
    const name = this.prefix + key;
    return (await this.call(name, ["GET", name])) as string | null;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    const name = this.prefix + key;
    await this.call(name, ["SET", name, value, "PX", wholeMs(ttlMs)]);
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    const name = this.prefix + key;
    return (await this.call(name, ["SET", name, value, "PX", wholeMs(ttlMs), "NX"])) !== null;
  }

  async delete(key: string): Promise<void> {
    const name = this.prefix + key;
    await this.call(name, ["DEL", name]);
  }

  /** Calls under way reject. */
  [Symbol.dispose](): void {
    this.keeper[Symbol.dispose]();
  }

  /** @param key which a Cluster finds the server by */
  private call(key: string, command: string[]): Promise<unknown> {
    const { link } = this.keeper;
    if (link === null) {
      this.calls.addAt(redisResult.away, 1);
      return Promise.reject(AWAY);
    }
    const sentMs = performance.now();
    return new Promise((resolve, reject) => {
      let isOver = false;
      const onLate = (): void => {
        if (isOver) return;
        isOver = true;
        this.calls.addAt(redisResult.timeout, 1);
        reject(new Error(`Redis did not answer within ${this.timeoutMs} ms`));
        this.judgeSilence(link, sentMs);
      };
      // Where this thread was busy the answer may have come: what there is to read is read first.
      const timer = setTimeout(() => setImmediate(onLate), this.timeoutMs);
      const finish = (result: number): boolean => {
        if (isOver) return false;
        isOver = true;
        clearTimeout(timer);
        this.calls.addAt(result, 1);
        return true;
      };
      link.send(key, command).then(
        (answer) => {
          this.noteAnswer();
          if (finish(redisResult.ok)) resolve(answer);
        },
        (error: unknown) => {
          const isReply = link.isReply(error);
          if (isReply) this.judgeReply(link, error as Error);
          if (finish(isReply ? redisResult.refused : redisResult.away)) reject(error);
        },
      );
    });
  }

  private noteAnswer(): void {
    this.answeredMs = performance.now();
    this.silentSinceMs = 0;
  }

  private judgeSilence(link: RedisLink, sentMs: number): void {
    if (this.answeredMs > sentMs) return;
    if (this.silentSinceMs === 0) this.silentSinceMs = sentMs;
    const silenceMs = performance.now() - this.silentSinceMs;
    if (silenceMs < Math.max(SILENCE_MS_MIN, 4 * this.timeoutMs)) return;
    this.silentSinceMs = 0;
    this.keeper.lose(link, new Error("it does not answer"));
  }

  private judgeReply(link: RedisLink, error: Error): void {
    this.noteAnswer();
    const code = codeOf(error);
    if (code.startsWith("NOSCRIPT")) return;
    // Another server has become the master.
    if (code.startsWith("READONLY")) this.keeper.lose(link, error);
    const nowMs = performance.now();
    if (nowMs - this.toldMs < LOG_INTERVAL_MS) return;
    this.toldMs = nowMs;
    this.log.warn("Redis refuses", { address: link.address, reason: error.message });
  }
}

const openByClient: OpenRedisLink = async (settings, onDown) => {
  // Heavy, and most gateways have no Redis.
  const { openLink } = await import("./open-link.ts");
  return await openLink(settings, onDown);
};

const digests = new WeakMap<RedisScript, string>();

function digestOf(script: RedisScript): string {
  let digest = digests.get(script);
  if (digest === undefined) {
    digest = hash("sha1", script.text);
    digests.set(script, digest);
  }
  return digest;
}

/** A refusal begins with its kind, in capitals. */
function codeOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}

function wholeMs(ms: number): string {
  return String(Math.max(1, Math.ceil(ms)));
}
