/** health-config: how a service's targets are checked, normalised, as the configuration says it. */

export interface HealthConfig {
  /** `auto`: HTTP as requests are sent to the target. */
  protocol: "auto" | "http" | "https" | "h2c" | "tcp" | "grpc";
  /** As it is sent, with its query; the service's own path is not put before it. */
  path: string;
  method: "GET" | "HEAD" | "OPTIONS" | "POST";
  /** Host that targets see; "" for the service's fixed one, else the target's own. */
  host: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** As `compileStatusSet` takes it. */
  status: string[];
  body: HealthBody;
  /** Asked for by its name in the gRPC health protocol; "" for the server as a whole. */
  service: string;
  /** 0 for that of the target. */
  port: number;
  intervalMs: number;
  /** Between checks of a target that is down. */
  unhealthyIntervalMs: number;
  timeoutMs: number;
  /** Checks in a row that bring a target back. */
  healthy: number;
  /** Checks in a row that take a target out. */
  unhealthy: number;
  /** By what share, at most, an interval is shortened at random: 0 to 1. */
  jitter: number;
  /** Whether a target gets requests before its first check has passed. */
  initial: "up" | "down";
}

/** What the body has to be like: anything, or holding a text, or matching an expression as a whole. */
export type HealthBody = { kind: "any" } | { kind: "contains" | "regex"; text: string };
