import type { KeptLease } from "../base/kept-values.ts";
import type { Log } from "../base/log/log.ts";
import { redisCallsTotal, redisConnected } from "../base/metrics/families.ts";
import type { MetricView } from "../base/metrics/metric-view.ts";
import type { RedisConfig } from "../config/config.ts";
import type { RedisSettings, RedisTls } from "../stores/redis/redis-link.ts";
import { SharedRedis } from "../stores/redis/shared-redis.ts";

interface KeepRedisContext {
  /** Contents of the files that the configuration names. */
  readonly materials: Readonly<Record<string, string>>;
  readonly kept: KeptLease;
  readonly log: Log;
  readonly metrics: MetricView;
}

/**
 * This worker's connection to Redis: that of the revision before, where that had the same, so that a reload
 * interrupts nothing.
 *
 * @returns once the first try to connect is over, however it ended: traffic does not wait for Redis
 */
export async function keepRedis(
  config: RedisConfig,
  { materials, kept, log, metrics }: KeepRedisContext,
): Promise<SharedRedis> {
  const settings = settingsOf(config, materials);
  const redis = kept.keep(`redis ${JSON.stringify(settings)}`, () => {
    return new SharedRedis(settings, {
      log,
      calls: metrics.counter(redisCallsTotal, []),
      connected: metrics.gauge(redisConnected, []),
    });
  });
  await redis.firstTry;
  return redis;
}

function settingsOf(
  { tls, ...config }: RedisConfig,
  materials: Readonly<Record<string, string>>,
): RedisSettings {
  if (tls === false) return { ...config, tls: null };
  const content = (file: string | undefined): string => {
    return file === undefined ? "" : (materials[file] ?? "");
  };
  const { ca, cert, key, serverName = "", verify: verifies } = tls;
  const files: RedisTls = {
    ca: content(ca),
    cert: content(cert),
    key: content(key),
    serverName,
    verifies,
  };
  return { ...config, tls: files };
}
