/**
 * The gRPC health checking protocol, version 1 (grpc/grpc, doc/health-checking.md): one unary call of
 * `grpc.health.v1.Health/Check`. Its two messages have one field each, so they are written and read by hand.
 */
import type { ProbeRequest } from "./http1-probe.ts";
import { exchangeProbe, type Http2Answer } from "./http2-probe.ts";
import type { ProbePlace } from "./probe-socket.ts";
import { failed, PASSED, type Probe, type ProbeOutcome } from "./probe.ts";

/** Field 1, a string: `service` of HealthCheckRequest. */
const SERVICE_TAG = 0x0a;
/** Field 1, a number: `status` of HealthCheckResponse. */
const STATUS_TAG = 0x08;
const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const SERVING = 1;
/** A message is prefixed with whether it is compressed, one byte, and its length, four. */
const PREFIX_BYTES = 5;
/** Eight digits are all that a deadline may have. */
const DEADLINE_MS_MAX = 99_999_999;

export interface GrpcProbeSettings {
  /** Asked for by its name; "" for the server as a whole. */
  readonly service: string;
  readonly authority: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Passes when the target says that it serves. */
export function grpcProbe(place: ProbePlace, settings: GrpcProbeSettings): Probe {
  const { service, authority, headers, timeoutMs } = settings;
  const asked: ProbeRequest = {
    method: "POST",
    path: "/grpc.health.v1.Health/Check",
    authority,
    headers: {
      ...headers,
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": `${Math.min(timeoutMs, DEADLINE_MS_MAX)}m`,
    },
  };
  return exchangeProbe({ place, asked, sent: encodeCheck(service), judge: judgeCheck });
}

/** A HealthCheckRequest with its prefix. @param service at most 127 bytes as UTF-8 */
export function encodeCheck(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.of(SERVICE_TAG, name.length), name]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function judgeCheck({ head, body, trailers }: Http2Answer): ProbeOutcome {
  const status = head[":status"];
  if (Number(status) !== 200) return failed("unexpected", `status ${Number(status)}`);
  // A call that fails at once has one head for all.
  const code = Number(trailers["grpc-status"] ?? head["grpc-status"] ?? Number.NaN);
  if (code !== 0) return failed("unexpected", `grpc-status ${code}`);
  const state = decodeCheck(body.bytes);
  if (state === SERVING) return PASSED;
  return failed("unexpected", STATUSES[state] ?? "not a health check's answer");
}

/** The status of a HealthCheckResponse with its prefix; -1 for what is none. */
export function decodeCheck(bytes: Buffer): number {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== 0) return -1;
  const message = bytes.subarray(PREFIX_BYTES);
  if (message.length !== bytes.readUInt32BE(1)) return -1;
  // 0 is the default, and not sent.
  if (message.length === 0) return 0;
  return message.length === 2 && message[0] === STATUS_TAG && message[1]! < 128 ? message[1]! : -1;
}
