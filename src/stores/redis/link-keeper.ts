import type { Log } from "../../base/log/log.ts";
import type { Gauge } from "../../base/metrics/metric-view.ts";
import { Random } from "../../base/random.ts";
import type { OpenRedisLink, RedisLink, RedisSettings } from "./redis-link.ts";

const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 2000;
/** An outage, or a connection that comes and goes, is told of so often. */
const LOG_INTERVAL_MS = 10_000;

export interface LinkKeeperContext {
  readonly log: Log;
  /** 1 while there is a link. */
  readonly connected: Gauge;
  readonly open: OpenRedisLink;
}

/** Keeps one link open: one that breaks is opened again, soon at first, then every other second. */
export class LinkKeeper implements Disposable {
  /** null while there is none. */
  link: RedisLink | null;
  /** The first try to connect is over, however it ended. */
  readonly firstTry: Promise<void>;
  private readonly settings: RedisSettings;
  private readonly context: LinkKeeperContext;
  private readonly random: Random;
  private isDisposed: boolean;
  private retryTimer: NodeJS.Timeout | undefined;
  private isAwayTold: boolean;
  private toldMs: number;

  constructor(settings: RedisSettings, context: LinkKeeperContext) {
    this.link = null;
    this.settings = settings;
    this.context = context;
    this.random = new Random();
    this.isDisposed = false;
    this.retryTimer = undefined;
    this.isAwayTold = false;
    this.toldMs = -Infinity;
    context.connected.set(0);
    this.firstTry = this.connect(0);
  }

  /** Gives a link up that leads nowhere; another is opened. One that is gone already changes nothing. */
  lose(link: RedisLink, reason: Error): void {
    if (this.link !== link) return;
    this.link = null;
    this.context.connected.set(0);
    link.destroy();
    this.tellAway(reason);
    this.retry(0);
  }

  [Symbol.dispose](): void {
    this.isDisposed = true;
    clearTimeout(this.retryTimer);
    this.link?.destroy();
    this.link = null;
    this.context.connected.set(0);
  }

  private async connect(failures: number): Promise<void> {
    const opened: { link?: RedisLink; failure?: Error } = {};
    try {
      const link = await this.context.open(this.settings, (reason) => {
        opened.failure = reason;
        if (opened.link !== undefined) this.lose(opened.link, reason);
      });
      opened.link = link;
      if (this.isDisposed) return link.destroy();
      if (opened.failure !== undefined) throw opened.failure;
      this.link = link;
      this.context.connected.set(1);
      this.tellBack(link);
    } catch (error) {
      if (this.isDisposed) return;
      this.tellAway(error as Error);
      this.retry(failures + 1);
    }
  }

  /** All workers, and all machines, lose it at once: they are not to come back at once. */
  private retry(failures: number): void {
    const longestMs = Math.min(RETRY_MS_MIN * 2 ** failures, RETRY_MS_MAX);
    const delayMs = longestMs / 2 + this.random.below(longestMs / 2);
    this.retryTimer = setTimeout(() => void this.connect(failures), delayMs);
  }

  private tellAway(error: Error): void {
    const nowMs = performance.now();
    if (nowMs - this.toldMs < LOG_INTERVAL_MS) return;
    this.toldMs = nowMs;
    this.isAwayTold = true;
    this.context.log.warn("Redis is away", { ...this.place, reason: reasonOf(error) });
  }

  private tellBack({ address }: RedisLink): void {
    if (!this.isAwayTold) return;
    this.isAwayTold = false;
    this.context.log.info("Redis is back", { address });
  }

  private get place() {
    const { nodes } = this.settings;
    return { address: nodes.map(({ host, port }) => `${host}:${port}`).join(" ") };
  }
}

/** Of several addresses that were tried, what the last one said; the message of the sum is empty. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.message === "") {
    return reasonOf(error.errors.at(-1) as Error);
  }
  return error.message;
}
