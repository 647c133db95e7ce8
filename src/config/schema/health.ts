import { z } from "zod";
import { formatDuration, duration } from "../../policy/values/duration.ts";
import { expected } from "../../policy/values/expected.ts";
import { headerToSet, headerValue } from "../../policy/values/header.ts";
import { count } from "../../policy/values/number.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { pattern } from "../../policy/values/pattern.ts";
import { percent } from "../../policy/values/percent.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";
import { statusSet } from "../../policy/values/status-set.ts";
import { choice, text } from "../../policy/values/text.ts";
import type { HealthBody, HealthConfig } from "../../upstream/health/health-config.ts";
import { parseHostHeader } from "./address.ts";

const PROTOCOLS = ["http", "https", "h2c", "tcp", "grpc"] as const;
const METHODS = ["GET", "HEAD", "OPTIONS", "POST"] as const;
const SHORT_HINT = "write a path like /healthz, tcp, grpc, or a map";

/** Where nothing else is said, and intervals allow it. */
const TIMEOUT_MS = 1000;

/** One byte tells the length of the name in the message. */
const GRPC_NAME_BYTES_MAX = 127;

function parsePath(written: string): string {
  if (!written.startsWith("/")) {
    throw new Refusal(`${JSON.stringify(written)} is not a path`, `write /${written}`);
  }
  // What a request line can carry (RFC 9112 3.2); a fragment is never sent.
  if (/^[!-~]+$/.test(written) && !written.includes("#")) return written;
  const hint = "percent-encode them";
  throw new Refusal(`${JSON.stringify(written)} has characters a path cannot have`, hint);
}

const path = parsedText(parsePath, {
  what: "a path",
  hint: "write it like /healthz",
  pattern: "^/",
  sample: "/healthz",
});

const grpcName = parsedText(
  (written) => {
    if (Buffer.byteLength(written) <= GRPC_NAME_BYTES_MAX) return written;
    throw new Refusal("the name is too long", `at most ${GRPC_NAME_BYTES_MAX} bytes`);
  },
  { what: "the name of a gRPC service", hint: "write it like shop.v1.Orders" },
);

const body = z
  .union(
    [
      text("a text").transform((written): HealthBody => ({ kind: "contains", text: written })),
      section({
        regex: pattern().describe("The whole body matches this regular expression."),
      }).transform(({ regex }): HealthBody => ({ kind: "regex", text: regex })),
    ],
    { error: expected("a text that the body contains", "write the text, or { regex }") },
  )
  .optional();

const written = section({
  protocol: choice(PROTOCOLS)
    .optional()
    .describe(
      "How to check: `http` (HTTP/1.1 in clear text), `https`, `h2c` (HTTP/2 in clear text), `tcp` (a connection is " +
        "enough) or `grpc` (the gRPC health protocol). Default: HTTP as requests are sent to the target.",
    ),
  path: path
    .optional()
    .describe(
      "What to ask for, with its query; `/` by default. The service's own path is not put before it.",
    ),
  method: choice(METHODS).optional().describe("Method of the request. Default: `GET`."),
  host: parsedText(parseHostHeader, { what: "a host", hint: "write it like api.internal" })
    .optional()
    .describe("Host that targets see. Default: the service's fixed `host`, else the target's own."),
  headers: z
    .record(headerToSet(), headerValue(), { error: expected("a map of headers") })
    .optional()
    .describe("Headers to send besides."),
  status: statusSet()
    .optional()
    .describe("Statuses that pass, `200` or `2xx`. Default: `2xx`. Redirects are not followed."),
  body: body.describe(
    "Text that the body has to contain, or `{ regex }` that it has to match; its first 8 KiB count.",
  ),
  service: grpcName
    .optional()
    .describe("Name to ask the gRPC health service for. Default: the server as a whole."),
  port: count({ min: 1, max: 65_535 }).optional().describe("Port to check. Default: the target's."),
  interval: duration({ minMs: 100 })
    .prefault("5s")
    .describe("From the beginning of one check to that of the next."),
  unhealthyInterval: duration({ minMs: 100 })
    .optional()
    .describe("The same while the target is down. Default: `interval`."),
  timeout: duration()
    .optional()
    .describe(
      "What one check may take, connecting included. Default: `1s`, or the interval where that is shorter.",
    ),
  healthy: count({ min: 1, max: 100 })
    .prefault(2)
    .describe(
      "Checks in a row that have to pass for a target that was down to get requests again.",
    ),
  unhealthy: count({ min: 1, max: 100 })
    .prefault(3)
    .describe("Checks in a row that have to fail for a target to be down."),
  jitter: percent()
    .prefault("10%")
    .describe("By how much, at most, an interval is shortened at random, so that checks spread."),
  initial: choice(["up", "down"])
    .prefault("up")
    .describe("`down`: a target gets no requests before its first check has passed."),
});
const healthObject = written.transform(normalised);

const shortHealth = parsedText(
  (short): HealthConfig => {
    if (short === "tcp" || short === "grpc") return healthObject.parse({ protocol: short });
    if (short.startsWith("/")) return healthObject.parse({ path: parsePath(short) });
    throw new Refusal(`${JSON.stringify(short)} is not a health check`, SHORT_HINT);
  },
  { what: "a health check", hint: SHORT_HINT, sample: "/healthz" },
);

/** `services.NAME.health`: a path, `tcp`, `grpc` or a map. */
export const health = z.union([shortHealth, healthObject], {
  error: expected("a health check", SHORT_HINT),
});

/** What a protocol has nothing to do with. */
const MEANINGLESS = {
  tcp: ["path", "method", "host", "headers", "status", "body", "service"],
  grpc: ["path", "method", "status", "body"],
  http: ["service"],
} as const;

type Written = z.output<typeof written>;

function normalised(value: Written, context: z.RefinementCtx): HealthConfig {
  const { protocol, interval, unhealthyInterval = interval, ...rest } = value;
  const { timeout = Math.min(TIMEOUT_MS, interval, unhealthyInterval) } = value;
  const refuse = (key: string, message: string, hint: string): void => {
    const params = { hint };
    context.issues.push({ code: "custom", message, params, input: value, path: [key] });
  };
  const kind = protocol === "tcp" || protocol === "grpc" ? protocol : "http";
  for (const key of MEANINGLESS[kind]) {
    if (rest[key] === undefined) continue;
    const word = protocol ?? "http";
    refuse(
      key,
      `${key} means nothing to a check by ${word}`,
      `drop it, or choose another protocol`,
    );
  }
  for (const [key, ms] of Object.entries({ interval, unhealthyInterval })) {
    if (timeout <= ms) continue;
    const length = formatDuration(ms);
    const hint = `at most ${length}, or a longer ${key}`;
    refuse("timeout", `longer than ${key} (${length}): checks would overlap`, hint);
    break;
  }
  if (rest.method === "HEAD" && rest.body !== undefined) {
    refuse("body", "an answer to HEAD has no body", "use GET");
  }
  return {
    protocol: protocol ?? "auto",
    path: rest.path ?? "/",
    method: rest.method ?? "GET",
    host: rest.host ?? "",
    headers: rest.headers ?? {},
    status: rest.status ?? ["2xx"],
    body: rest.body ?? { kind: "any" },
    service: rest.service ?? "",
    port: rest.port ?? 0,
    intervalMs: interval,
    unhealthyIntervalMs: unhealthyInterval,
    timeoutMs: timeout,
    healthy: rest.healthy,
    unhealthy: rest.unhealthy,
    jitter: rest.jitter,
    initial: rest.initial,
  };
}
