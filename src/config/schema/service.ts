import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import type { BalanceConfig } from "../../upstream/balance/balance-config.ts";
import type { HealthConfig } from "../../upstream/health/health-config.ts";
import type { SlowStartRules } from "../../upstream/balance/rotation-rules.ts";
import type { HedgeConfig } from "../../upstream/retry/retry-config.ts";
import type { ConcurrencyConfig } from "../../upstream/shedding/concurrency-config.ts";
import { concurrency } from "./concurrency.ts";
import type { OutlierRules } from "../../upstream/outliers/outlier-rules.ts";
import { balance } from "./balance/balance.ts";
import { parseHost, parseHostHeader } from "./address.ts";
import { breaker, type BreakerConfig } from "./breaker.ts";
import { serviceFallback, type FallbackConfig } from "./fallback.ts";
import { health } from "./health.ts";
import { duration, durationOr } from "../../policy/values/duration.ts";
import { count, flag } from "../../policy/values/number.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { percent } from "../../policy/values/percent.ts";
import { policyList, type PolicySchemas, type PolicyUse } from "./policy-use.ts";
import { hedge, serviceRetry, unwrittenRetry, type ServiceRetryConfig } from "./retry.ts";
import { inMs, section } from "../../policy/values/section.ts";
import { outliers } from "./outliers.ts";
import { slowStart } from "./slow-start.ts";
import { parsePrefix, targetUrl, type TargetUrl } from "./target-url.ts";
import { text } from "../../policy/values/text.ts";
import { zone } from "./zone.ts";

/** One instance of a service. The path of its URL stands in the service's `path`. */
export interface TargetConfig extends Omit<TargetUrl, "path"> {
  /** Share of the requests relative to the other targets. */
  weight: number;
  /** True: finishes what it has and gets nothing new. */
  drain: boolean;
  /** Lower ones are asked first. */
  priority: number;
  /** "" for none. */
  zone: string;
}

/** What the service sees as Host: the client's, the target's own, or a fixed one. */
export interface ServiceHost {
  mode: "preserve" | "target" | "literal";
  /** The fixed host (`host[:port]`); empty in the other modes. */
  value: string;
}

/** TLS towards a service; the strings are paths of PEM files, but `serverName`. */
export type ServiceTlsConfig = z.output<typeof tls>;
export type ServiceConnections = z.output<typeof connections>;

/** A service, normalised. */
export interface ServiceConfig {
  targets: TargetConfig[];
  balance: BalanceConfig;
  /** Share of the targets; 0: never. */
  panic: number;
  slowStart?: SlowStartRules | undefined;
  /** Absent where targets are not checked. */
  health?: HealthConfig | undefined;
  /** null for none. */
  outliers: OutlierRules | null;
  timeout: ServiceTimeouts;
  connections: ServiceConnections;
  /** null for none. */
  breaker: BreakerConfig | null;
  retry: ServiceRetryConfig;
  /** Absent or null for none. */
  hedge?: HedgeConfig | null | undefined;
  fallback?: FallbackConfig | undefined;
  /** Absent where requests under way are not bounded by what answers take. */
  concurrency?: ConcurrencyConfig | undefined;
  /** True as well when the targets are `h2c://`. */
  http2: boolean;
  pipelining: number;
  tls: ServiceTlsConfig;
  host: ServiceHost;
  /** Path before every path sent, without a closing slash; empty at the root. */
  path: string;
  rawPath: boolean;
  policies: PolicyUse[];
}

/** Deadlines of a request's way to a service, ms; 0: none. */
export interface ServiceTimeouts {
  connectMs: number;
  requestMs: number;
  responseMs: number;
  idleMs: number;
  totalMs: number;
}

/** What a target is that only its URL is known of. */
const plainTarget = { weight: 1, drain: false, priority: 0, zone: "" };

const targetObject = section({
  url: targetUrl().describe(
    "`http://host:port`, `https://host`, `h2c://host:port` or `unix:/path.sock[:/prefix]`.",
  ),
  weight: count({ min: 1, max: 65_535 })
    .prefault(1)
    .describe("Share of the requests, relative to the other targets."),
  drain: flag()
    .prefault(false)
    .describe(
      "Finish what is in flight and send nothing new; sticky clients stay until they leave.",
    ),
  priority: count({ max: 100 })
    .prefault(0)
    .describe("Asked first where it is 0; higher ones get what those below cannot take."),
  zone: zone()
    .prefault("")
    .describe("Where it is: with the gateway's own `zone`, targets in that zone are asked first."),
});
const shortTarget = targetUrl().transform((url) => ({ url, ...plainTarget }));
const target = z.union([shortTarget, targetObject], {
  error: expected("a target", "write its URL, or { url, weight, drain }"),
});
const targets = z
  .array(target, { error: expected("a list of targets", "write each URL after a dash") })
  .min(1, { error: "no targets; name at least one URL" })
  .describe("The instances of the service: URLs, or maps of `url` and more.");

const deadlines = section({
  connect: duration().prefault("5s").describe("Time to connect, TLS included."),
  request: duration({ none: true })
    .prefault("30s")
    .describe("Time the service may take nothing of the request that is sent to it."),
  response: duration({ none: true })
    .prefault("30s")
    .describe("Time from the request's last byte to the head of the response; then 504."),
  idle: duration({ none: true })
    .prefault("60s")
    .describe("Time between two pieces of the response's body."),
  total: duration({ none: true })
    .prefault("none")
    .describe("Time for everything, retries included. Ends long downloads and event streams too."),
});
const timeout = z
  .union(
    [
      duration({ none: true }).transform((response) => ({ ...deadlines.parse({}), response })),
      deadlines,
    ],
    { error: durationOr("a duration (for the response) or a map of durations") },
  )
  .transform((value): ServiceTimeouts => inMs(value));

const connections = section({
  max: count({ min: 1, max: 65_535 })
    .prefault(1024)
    .describe("Most connections to one target, for each worker."),
  waiting: count({ max: 1_000_000 })
    .prefault(1024)
    .describe("Most requests that wait for a connection to one target; above it 503."),
  inFlight: count({ min: 1, max: 10_000_000, none: true })
    .prefault("none")
    .describe("Most requests under way to the service, in all workers together; above it 503."),
  inFlightPerTarget: count({ min: 1, max: 10_000_000, none: true })
    .prefault("none")
    .describe(
      "Most requests under way to one target, in all workers together; others are asked instead.",
    ),
  idle: count({ max: 65_535 })
    .prefault(256)
    .describe("Most unused connections kept open to one target, for each worker."),
  idleTimeout: duration()
    .prefault("60s")
    .describe("Time an unused connection is kept. Keep it below the service's own limit."),
}).transform(({ idleTimeout, ...value }) => ({ ...value, idleTimeoutMs: idleTimeout }));

const tls = section({
  ca: text("the path of a PEM file")
    .optional()
    .describe("PEM file with the authorities to trust. Default: those of Node."),
  serverName: parsedText(parseHost, { what: "a host name", hint: "write it like api.example.com" })
    .optional()
    .describe("Name sent (SNI) and expected in the certificate. Default: the target's host."),
  cert: text("the path of a PEM file")
    .optional()
    .describe("PEM file with the client certificate shown to the service."),
  key: text("the path of a PEM file").optional().describe("PEM file with its private key."),
  verify: flag().prefault(true).describe("`false` accepts any certificate: for development only."),
});

const host = parsedText(
  (value): ServiceHost => {
    if (value === "preserve" || value === "target") return { mode: value, value: "" };
    return { mode: "literal", value: parseHostHeader(value) };
  },
  { what: "a host", hint: "write preserve, target or a host name", sample: "api.internal" },
);

const path = parsedText(parsePrefix, { what: "a path", hint: "write it like /v2", sample: "/v2" });

/** Everything a service can be told but its targets. */
function serviceOptions(policies: PolicySchemas) {
  return {
    balance: balance
      .prefault("round-robin")
      .describe("How a target is chosen: a name, or a map of `name` and its options."),
    outliers: outliers
      .prefault(false)
      .describe("Leave targets out for a while whose answers are bad: `true`, or a map."),
    panic: percent()
      .prefault("50%")
      .describe("Where less than this share of the targets is usable, all are used; 0%: never."),
    slowStart: slowStart
      .optional()
      .describe(
        "How a target gets its share back that was down or ejected: a duration, or a map. " +
          "Default: at once.",
      ),
    health: health
      .optional()
      .describe("Checks of the targets: a path, `tcp`, `grpc` or a map. Default: none."),
    timeout: timeout
      .prefault({})
      .describe("Deadlines; a single duration is short for `{ response }`."),
    connections: connections.prefault({}).describe("Connections kept to each target."),
    breaker: breaker
      .prefault(false)
      .describe(
        "Stop asking what mostly fails or is slow, and find out by a few trials whether it is well again: " +
          "`true`, or a map.",
      ),
    retry: serviceRetry
      .prefault(unwrittenRetry)
      .describe(
        "When a request is tried again: `true`, `false` or a map. Default: once, where a service has not begun with it.",
      ),
    hedge: hedge
      .optional()
      .describe(
        "Ask a second target where the first has not answered by then: `200ms` or `p95`. Default: never.",
      ),
    fallback: serviceFallback,
    concurrency: concurrency
      .optional()
      .describe(
        "Bounds the requests under way by what answers take: `adaptive`, or a map. Default: no bound.",
      ),
    http2: flag()
      .prefault(false)
      .describe(
        "Speak HTTP/2 to the service (gRPC needs it): by ALPN over TLS, else in clear text.",
      ),
    pipelining: count({ min: 1, max: 64 })
      .prefault(1)
      .describe("Most idempotent requests at once on one HTTP/1.1 connection; 1 is no pipelining."),
    tls: tls.optional().describe("TLS towards `https` targets."),
    host: host
      .prefault("preserve")
      .describe("Host the service sees: `preserve` (the client's), `target` (its own) or a name."),
    path: path
      .optional()
      .describe("Path the service lives under, put before every path. Default: that of its URLs."),
    rawPath: flag()
      .prefault(false)
      .describe("Forward the path as the client sent it, not normalised. No rewrite applies then."),
    policies: policyList(policies)
      .prefault([])
      .describe("Policies for every request to this service, after the document's own."),
  };
}

/** `services.NAME`: a URL or a map. */
export function serviceSchema(policies: PolicySchemas) {
  const options = serviceOptions(policies);
  const object = section({ targets, ...options });
  const short = targetUrl().transform((url) => {
    return { targets: [{ url, ...plainTarget }], ...z.object(options).parse({}) };
  });
  return z
    .union([short, object], {
      error: expected("a service", "write its URL, or a map with targets"),
    })
    .transform(normalisedService);
}

type ServiceParts = z.output<z.ZodObject<ReturnType<typeof serviceOptions>>> & {
  targets: z.output<typeof targets>;
};

function normalisedService(value: ServiceParts, context: z.RefinementCtx): ServiceConfig {
  const { path: prefix, tls: written, http2, ...rest } = value;
  const refuse = (key: string, message: string, hint: string): never => {
    const params = { hint };
    context.issues.push({ code: "custom", message, params, input: value, path: [key] });
    return z.NEVER;
  };
  const prefixes = [...new Set(value.targets.map(({ url }) => url.path))];
  if (prefix === undefined && prefixes.length > 1) {
    const listed = prefixes.map((one) => one || "/").join(", ");
    return refuse(
      "targets",
      `targets under different paths (${listed})`,
      "set path on the service",
    );
  }
  const schemes = new Set(value.targets.map(({ url }) => url.scheme));
  if (schemes.has("h2c") && (schemes.has("http") || schemes.has("https"))) {
    return refuse("targets", "h2c targets beside others", "write http2: true and http or https");
  }
  if (written !== undefined && !schemes.has("https") && value.health?.protocol !== "https") {
    const hint = "drop tls, or write https:// targets";
    return refuse("tls", "tls on a service without https targets", hint);
  }
  return {
    ...rest,
    targets: value.targets.map(({ url: { path: _, ...address }, ...own }) => {
      return { ...address, ...own };
    }),
    http2: http2 || schemes.has("h2c"),
    tls: written ?? { verify: true },
    path: prefix ?? prefixes[0] ?? "",
  };
}
