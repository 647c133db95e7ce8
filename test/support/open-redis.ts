import { logTo } from "../../src/base/log/log.ts";
import { redisCallsTotal, redisConnected } from "../../src/base/metrics/families.ts";
import { MetricView } from "../../src/base/metrics/metric-view.ts";
import type { RedisSettings } from "../../src/stores/redis/redis-link.ts";
import { SharedRedis } from "../../src/stores/redis/shared-redis.ts";
import type { Cleanup } from "./cleanup.ts";

const defaults: RedisSettings = {
  kind: "single",
  nodes: [],
  master: "",
  username: "",
  password: "",
  sentinelUsername: "",
  sentinelPassword: "",
  database: 0,
  tls: null,
  prefix: "test:",
  timeoutMs: 10_000,
  connectTimeoutMs: 10_000,
};

export interface OpenedRedis {
  redis: SharedRedis;
  /** What it has logged: level, message, fields. */
  lines: string[];
}

/** Connects as a worker would; the test's end lets go. */
export async function openRedis(
  t: Cleanup,
  ports: number | readonly number[],
  changes: Partial<RedisSettings> = {},
): Promise<OpenedRedis> {
  const lines: string[] = [];
  const metrics = MetricView.discarding();
  const nodes = [ports].flat().map((port) => ({ host: "127.0.0.1", port }));
  const redis = new SharedRedis(
    { ...defaults, nodes, ...changes },
    {
      log: logTo((level, message, fields) => {
        lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
      }),
      calls: metrics.counter(redisCallsTotal, []),
      connected: metrics.gauge(redisConnected, []),
    },
  );
  t.after(() => redis[Symbol.dispose]());
  await redis.firstTry;
  return { redis, lines };
}
