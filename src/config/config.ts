import type { z } from "zod";
import type { documentSchema } from "./schema/document.ts";

/**
 * The normalised configuration: plain data that can be cloned to a worker or written as JSON, with
 * every default filled in, durations in milliseconds (`…Ms`), sizes in bytes (`…Bytes`), 0 for "no
 * limit".
 */
export type Config = z.output<ReturnType<typeof documentSchema>>;

/** The document as users write it, in YAML, JSON or TypeScript. */
export type ConfigInput = z.input<ReturnType<typeof documentSchema>>;

export type { AdminConfig } from "./schema/admin.ts";
export type { BalanceConfig, HashKeyConfig } from "../upstream/balance/balance-config.ts";
export type { HealthConfig } from "../upstream/health/health-config.ts";
export type { CacheConfig } from "./schema/cache.ts";
export type { ValueTest } from "./schema/condition.ts";
export type { BasicConfig } from "./schema/consumers/basic.ts";
export type { ConsumerConfig } from "./schema/consumers/consumer.ts";
export type { ForwardedConfig } from "./schema/document.ts";
export type { HandlerConfig, RedirectConfig, RespondConfig } from "./schema/handler.ts";
export type { IdentityConfig } from "./schema/identity.ts";
export type { LimitsConfig } from "./schema/limits.ts";
export type { CertificateConfig, ListenerConfig, ListenerTlsConfig } from "./schema/listen.ts";
export type { AccessLogConfig, LogConfig } from "./schema/log.ts";
export type { MatchConfig } from "./schema/match.ts";
export type { PlanConfig } from "./schema/plan.ts";
export type { PolicySchemas, PolicyUse } from "./schema/policy-use.ts";
export type { RedisConfig, RedisNodeConfig, RedisTlsConfig } from "./schema/redis.ts";
export type { RewriteConfig } from "./schema/rewrite.ts";
export type { RouteConfig } from "./schema/route.ts";
export type {
  ServiceConfig,
  ServiceConnections,
  ServiceHost,
  ServiceTimeouts,
  ServiceTlsConfig,
  TargetConfig,
} from "./schema/service.ts";
export type { SplitBranchConfig, SplitConfig } from "./schema/split.ts";
export type { TimeoutsConfig } from "./schema/timeouts.ts";
